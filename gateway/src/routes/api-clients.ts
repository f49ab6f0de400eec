/** API clients: machines that log in by themselves and act for a user, within their scopes. Admins create and revoke them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { SCOPES, type Scope } from '@payflowx/chassis';
import type { ApiClient as ApiClientMessage } from '@payflowx/proto/auth';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { printableText } from '../schemas/formats.ts';
import { keyOf, optionalKey } from '../schemas/idempotency.ts';
import { ApiClientId, pathId, UserId } from '../schemas/ids.ts';
import { named, nullable, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { nullableTime, nullableTimeJson, time, timeJson } from '../schemas/text.ts';

const ScopeName = Type.Unsafe<Scope>({ type: 'string', enum: [...SCOPES] });

const ApiClient = named(
  'ApiClient',
  Type.Object({
    id: ref(ApiClientId),
    name: Type.String({ description: 'A name for people to read.', examples: ['Shop'] }),
    user_id: ref(UserId),
    scopes: Type.Array(ScopeName, { description: 'The scopes of its tokens.' }),
    created_at: time('When it was created.'),
    revoked_at: nullableTime('When it was revoked; null if it is not revoked.'),
    has_secret: Type.Boolean({
      description: 'False if it logs in with a key only, or is revoked.',
      examples: [true],
    }),
  }),
);
const ApiClientPage = pageOf('ApiClientPage', ApiClient);

const Secret = Type.String({
  description: 'Shown only in this response.',
  examples: ['dGhpcyBpcyBub3QgYSBzZWNyZXQ'],
});

const NewClientSecret = named('NewClientSecret', Type.Object({ client_secret: Secret }));

const CreatedApiClient = named(
  'CreatedApiClient',
  Type.Object({
    client: ref(ApiClient),
    client_secret: nullable(
      Secret,
      'Shown only in the first response; null in a replay with the same Idempotency-Key.',
    ),
  }),
);

const NewApiClient = named(
  'NewApiClient',
  Type.Object(
    {
      name: printableText(100, 'A name for people to read: 1 to 100 printable characters.', 'Shop'),
      user_id: ref(UserId),
      scopes: Type.Array(ScopeName, {
        minItems: 1,
        maxItems: SCOPES.length,
        uniqueItems: true,
        description:
          '`accounts:write`, `ledger:read` and `analytics:read` also need `accounts:read`. A scope gives no access that the roles of the user do not give.',
        examples: [['accounts:read', 'payments:write']],
        if: { contains: { enum: ['accounts:write', 'ledger:read', 'analytics:read'] } },
        // biome-ignore lint/suspicious/noThenProperty: a JSON Schema keyword; no code awaits a schema.
        then: { contains: { const: 'accounts:read' } },
      }),
    },
    { additionalProperties: false },
  ),
);

export const apiClientSchemas = [ApiClient, ApiClientPage, NewClientSecret, CreatedApiClient, NewApiClient];

interface Options {
  auth: Neighbours['auth'];
}

export const apiClientRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { auth }) => {
  app.post('/v1/api-clients', {
    config: { access: ['admin'], recentLogin: true },
    schema: {
      tags: ['api-clients'],
      operationId: 'createApiClient',
      summary: 'Create an API client for a user; only this response shows its secret',
      headers: optionalKey,
      body: ref(NewApiClient),
      response: {
        201: ref(CreatedApiClient),
        404: problem(['USER_NOT_FOUND']),
        422: problem(['IDEMPOTENCY_KEY_REUSED']),
      },
    },
    handler: async (request, reply) => {
      const { name, user_id, scopes } = request.body;
      const requestId = keyOf(request.headers);
      const message = { requestId, name, userId: user_id, scopes };
      const made = await auth.createApiClient(message, asCaller(request));
      reply.code(201);
      return { client: clientJson(made.client), client_secret: made.clientSecret || null };
    },
  });

  app.get('/v1/api-clients', {
    config: { access: ['admin', 'operator', 'auditor'] },
    schema: {
      tags: ['api-clients'],
      operationId: 'listApiClients',
      summary: 'List API clients, revoked ones included, newest first',
      querystring: query({ ...pageQuery, user_id: Type.Optional(ref(UserId)) }),
      response: { 200: ref(ApiClientPage) },
    },
    handler: async (request) => {
      const message = { ...pageRequest(request.query), userId: request.query.user_id ?? '' };
      const page = await auth.listApiClients(message, asCaller(request));
      return pageJson(page.clients.map(clientJson), page.nextPageToken);
    },
  });

  app.post('/v1/api-clients/:id/revoke', {
    config: { access: ['admin'], optionalBody: true },
    schema: {
      tags: ['api-clients'],
      operationId: 'revokeApiClient',
      summary: 'Revoke an API client permanently',
      description: 'Every service refuses its tokens within 5 seconds.',
      params: pathId(ref(ApiClientId)),
      body: ref(NoFields),
      response: { 200: ref(ApiClient), 404: problem(['API_CLIENT_NOT_FOUND']) },
    },
    handler: async (request) => {
      const message = { clientId: request.params.id };
      const { client } = await auth.revokeApiClient(message, asCaller(request));
      return clientJson(client);
    },
  });

  app.delete('/v1/api-clients/:id/secret', {
    config: { access: ['admin'] },
    schema: {
      tags: ['api-clients'],
      operationId: 'removeApiClientSecret',
      summary: 'Remove the secret of an API client that logs in with a key',
      params: pathId(ref(ApiClientId)),
      response: {
        204: Type.Null({ description: 'It has no secret.' }),
        404: problem(['API_CLIENT_NOT_FOUND']),
        409: problem(['API_CLIENT_REVOKED', 'CLIENT_KEY_REQUIRED']),
      },
    },
    handler: async (request, reply) => {
      await auth.removeApiClientSecret({ clientId: request.params.id }, asCaller(request));
      return reply.code(204).send(null);
    },
  });

  app.post('/v1/api-clients/:id/rotate-secret', {
    config: { access: ['admin'], optionalBody: true, recentLogin: true },
    schema: {
      tags: ['api-clients'],
      operationId: 'rotateApiClientSecret',
      summary: 'Replace the secret of an API client; the old secret becomes invalid at once',
      params: pathId(ref(ApiClientId)),
      body: ref(NoFields),
      response: {
        200: ref(NewClientSecret),
        404: problem(['API_CLIENT_NOT_FOUND']),
        409: problem(['API_CLIENT_REVOKED']),
      },
    },
    handler: async (request) => {
      const message = { clientId: request.params.id };
      const { clientSecret } = await auth.rotateApiClientSecret(message, asCaller(request));
      return { client_secret: clientSecret };
    },
  });
};

function clientJson(client: ApiClientMessage | undefined): Static<typeof ApiClient> {
  if (!client) throw new Error('The response of auth has no API client.');
  return {
    id: client.id,
    name: client.name,
    user_id: client.userId,
    scopes: client.scopes as Scope[],
    created_at: timeJson(client.createdAt),
    revoked_at: nullableTimeJson(client.revokedAt),
    has_secret: client.hasSecret,
  };
}
