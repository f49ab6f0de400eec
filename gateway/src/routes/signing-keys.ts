/** The keys that sign and verify access tokens. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { named, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { time, timeJson } from '../schemas/text.ts';

const JwkSet = named(
  'JwkSet',
  Type.Object({
    keys: Type.Array(
      Type.Object({
        kid: Type.String({ examples: ['2026-01'] }),
        kty: Type.String({ examples: ['OKP'] }),
        crv: Type.String({ examples: ['Ed25519'] }),
        x: Type.String({ examples: ['11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'] }),
        alg: Type.String({ examples: ['EdDSA'] }),
        use: Type.String({ examples: ['sig'] }),
      }),
    ),
  }),
);

const KeyRotation = named(
  'KeyRotation',
  Type.Object({
    active_kid: Type.String({ description: 'The key that signs tokens now.', examples: ['2026-01'] }),
    next_kid: Type.String({ description: 'The key that will sign next.', examples: ['2026-02'] }),
    activates_at: time('When the next key starts to sign.'),
  }),
);

export const signingKeySchemas = [JwkSet, KeyRotation];

interface Options {
  auth: Neighbours['auth'];
}

export const signingKeyRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { auth }) => {
  app.get('/.well-known/jwks.json', {
    // A key is announced long before it signs.
    config: { access: 'anyone', maxAgeS: 60 },
    schema: {
      tags: ['auth'],
      operationId: 'getJwks',
      summary: 'Get the public keys that verify access tokens (RFC 7517)',
      response: { 200: ref(JwkSet) },
    },
    handler: async ({ deadline }) => auth.getJwks({}, { deadline }),
  });

  app.post('/v1/signing-keys/rotate', {
    config: { access: ['admin'], optionalBody: true, recentLogin: true },
    schema: {
      tags: ['auth'],
      operationId: 'rotateSigningKey',
      summary: 'Announce the key that will sign next; a second request changes nothing',
      description: 'Valid tokens stay valid.',
      body: ref(NoFields),
      response: { 200: ref(KeyRotation) },
    },
    handler: async (request) => {
      const rotation = await auth.rotateSigningKey({}, asCaller(request));
      return {
        active_kid: rotation.activeKid,
        next_kid: rotation.nextKid,
        activates_at: timeJson(rotation.activatesAt),
      };
    },
  });
};
