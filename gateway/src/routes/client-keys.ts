/** The public keys of API clients, for logins with `private_key_jwt` (RFC 7523). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { ApiClientKey as KeyMessage } from '@payflowx/proto/auth';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { ApiClientId, pathId } from '../schemas/ids.ts';
import { named, ref } from '../schemas/named.ts';
import { time, timeJson } from '../schemas/text.ts';

const kid = Type.String({
  pattern: '^[A-Za-z0-9._~-]{1,128}$',
  description: 'The id of the key. The header of an assertion may name it.',
  examples: ['till-2026'],
});
const base64url = (description: string, example: string) =>
  Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,1024}$', description, examples: [example] }));

const EXAMPLE = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  kid: 'till-2026',
};

const PublicJwk = named(
  'PublicJwk',
  Type.Object(
    {
      kty: Type.Unsafe<'EC' | 'OKP' | 'RSA'>({ type: 'string', enum: ['EC', 'OKP', 'RSA'] }),
      crv: Type.Optional(Type.Unsafe<'P-256' | 'Ed25519'>({ type: 'string', enum: ['P-256', 'Ed25519'] })),
      x: base64url('Of EC and OKP.', EXAMPLE.x),
      y: base64url('Of EC.', EXAMPLE.y),
      n: base64url('Of RSA: 2048 to 4096 bits.', 'AQAB'),
      e: base64url('Of RSA: 65537.', 'AQAB'),
      kid: Type.Optional(kid),
      use: Type.Optional(Type.Unsafe<'sig'>({ type: 'string', enum: ['sig'] })),
      alg: Type.Optional(
        Type.Unsafe<string>({ type: 'string', enum: ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'] }),
      ),
      key_ops: Type.Optional(Type.Array(Type.Unsafe<'verify'>({ type: 'string', enum: ['verify'] }))),
      ext: Type.Optional(Type.Boolean()),
    },
    {
      additionalProperties: false,
      description:
        'A public key (RFC 7517): EC with P-256, OKP with Ed25519, or RSA. Private members are refused: the private key never leaves the client.',
      examples: [EXAMPLE],
    },
  ),
);

const ClientKey = named(
  'ClientKey',
  Type.Object({ kid, jwk: ref(PublicJwk), created_at: time('When it was registered.') }),
);
const ClientKeys = named('ClientKeys', Type.Object({ data: Type.Array(ref(ClientKey)) }));
const NewClientKey = named(
  'NewClientKey',
  Type.Object({ jwk: ref(PublicJwk) }, { additionalProperties: false }),
);

export const clientKeySchemas = [PublicJwk, ClientKey, ClientKeys, NewClientKey];

interface Options {
  auth: Neighbours['auth'];
}

export const clientKeyRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { auth }) => {
  app.post('/v1/api-clients/:id/keys', {
    config: { access: ['admin'], recentLogin: true },
    schema: {
      tags: ['api-clients'],
      operationId: 'addApiClientKey',
      summary: 'Register a public key of an API client; its other keys stay valid',
      description: 'A client has at most 5 keys. A key that is registered already stays as it is.',
      params: pathId(ref(ApiClientId)),
      body: ref(NewClientKey),
      response: {
        201: ref(ClientKey),
        404: problem(['API_CLIENT_NOT_FOUND']),
        409: problem(['API_CLIENT_REVOKED', 'CLIENT_KEY_EXISTS', 'TOO_MANY_CLIENT_KEYS']),
      },
    },
    handler: async (request, reply) => {
      const message = { clientId: request.params.id, publicJwk: JSON.stringify(request.body.jwk) };
      const { key } = await auth.addApiClientKey(message, asCaller(request));
      reply.code(201);
      return keyJson(key);
    },
  });

  app.get('/v1/api-clients/:id/keys', {
    config: { access: ['admin', 'operator', 'auditor'] },
    schema: {
      tags: ['api-clients'],
      operationId: 'listApiClientKeys',
      summary: 'List the public keys of an API client, the oldest first',
      params: pathId(ref(ApiClientId)),
      response: { 200: ref(ClientKeys), 404: problem(['API_CLIENT_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { keys } = await auth.listApiClientKeys({ clientId: request.params.id }, asCaller(request));
      return { data: keys.map(keyJson) };
    },
  });

  app.delete('/v1/api-clients/:id/keys/:kid', {
    config: { access: ['admin'] },
    schema: {
      tags: ['api-clients'],
      operationId: 'removeApiClientKey',
      summary: 'Remove a public key of an API client; its assertions are refused at once',
      params: Type.Object({ id: ref(ApiClientId), kid }),
      response: {
        204: Type.Null({ description: 'Removed.' }),
        404: problem(['API_CLIENT_NOT_FOUND', 'CLIENT_KEY_NOT_FOUND']),
      },
    },
    handler: async (request, reply) => {
      const { id: clientId, kid: removed } = request.params;
      await auth.removeApiClientKey({ clientId, kid: removed }, asCaller(request));
      return reply.code(204).send(null);
    },
  });
};

function keyJson(key: KeyMessage | undefined): Static<typeof ClientKey> {
  if (!key) throw new Error('The response of auth has no key.');
  return { kid: key.kid, jwk: JSON.parse(key.publicJwk), created_at: timeJson(key.createdAt) };
}
