/** Handlers for API clients that act for users. */
import { type Handlers, newId, originOf } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';
import { revokeApiClient, rotateApiClientSecret } from '../app/change-api-client.ts';
import { addClientKey, listKeysOfClient, removeClientKey, removeClientSecret } from '../app/client-keys.ts';
import { createApiClient } from '../app/create-api-client.ts';
import { listApiClients } from '../app/list-api-clients.ts';
import { newUserApiClient } from '../domain/user-api-client.ts';
import { given, pageRequest, toClientKeyMessage, toClientMessage } from './convert.ts';
import type { AuthServiceDeps } from './deps.ts';

type ClientHandlers = Pick<
  Handlers<AuthServiceService>,
  | 'createApiClient'
  | 'listApiClients'
  | 'revokeApiClient'
  | 'rotateApiClientSecret'
  | 'removeApiClientSecret'
  | 'addApiClientKey'
  | 'listApiClientKeys'
  | 'removeApiClientKey'
>;

export function clientHandlers(service: AuthServiceDeps): ClientHandlers {
  const deps = { ...service, newClientId: () => newId('cli') };
  return {
    async createApiClient({ requestId, name, userId, scopes }, call) {
      const wanted = newUserApiClient({ name, userId, scopes });
      const { client, secret } = await createApiClient(deps, { origin: originOf(call), requestId, wanted });
      return { client: toClientMessage(client), clientSecret: secret };
    },
    async listApiClients(request) {
      const page = await listApiClients(deps, {
        ...pageRequest(request),
        userId: given(request.userId),
      });
      return { clients: page.rows.map(toClientMessage), nextPageToken: page.nextPageToken };
    },
    async revokeApiClient({ clientId }, call) {
      const client = await revokeApiClient(deps, { origin: originOf(call), clientId });
      return { client: toClientMessage(client) };
    },
    async rotateApiClientSecret({ clientId }, call) {
      return { clientSecret: await rotateApiClientSecret(deps, { origin: originOf(call), clientId }) };
    },
    async removeApiClientSecret({ clientId }, call) {
      await removeClientSecret(deps, { origin: originOf(call), clientId });
      return {};
    },
    async addApiClientKey({ clientId, publicJwk }, call) {
      const key = await addClientKey(deps, { origin: originOf(call), clientId, publicJwk });
      return { key: toClientKeyMessage(key) };
    },
    async listApiClientKeys({ clientId }) {
      return { keys: (await listKeysOfClient(deps.db, clientId)).map(toClientKeyMessage) };
    },
    async removeApiClientKey({ clientId, kid }, call) {
      await removeClientKey(deps, { origin: originOf(call), clientId, kid });
      return {};
    },
  };
}
