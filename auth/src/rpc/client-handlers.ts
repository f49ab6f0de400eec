/** Handlers for API clients that act for users. */
import { type Handlers, newId } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';
import { revokeApiClient, rotateApiClientSecret } from '../app/change-api-client.ts';
import { createApiClient } from '../app/create-api-client.ts';
import { listApiClients } from '../app/list-api-clients.ts';
import { newUserApiClient } from '../domain/user-api-client.ts';
import { actorOf, given, pageRequest, toClientMessage } from './convert.ts';
import type { AuthServiceDeps } from './deps.ts';

type ClientHandlers = Pick<
  Handlers<AuthServiceService>,
  'createApiClient' | 'listApiClients' | 'revokeApiClient' | 'rotateApiClientSecret'
>;

export function clientHandlers(service: AuthServiceDeps): ClientHandlers {
  const deps = { ...service, newClientId: () => newId('cli') };
  return {
    async createApiClient({ requestId, name, userId, scopes }, call) {
      const wanted = newUserApiClient({ name, userId, scopes });
      const { client, secret } = await createApiClient(deps, { actor: actorOf(call), requestId, wanted });
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
      const client = await revokeApiClient(deps, { actor: actorOf(call), clientId });
      return { client: toClientMessage(client) };
    },
    async rotateApiClientSecret({ clientId }, call) {
      return { clientSecret: await rotateApiClientSecret(deps, { actor: actorOf(call), clientId }) };
    },
  };
}
