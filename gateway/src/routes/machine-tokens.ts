/** Logins of machines: an API client gets an access token for its id and secret. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import type { Neighbours } from '../clients/neighbours.ts';
import { limitLogins } from '../http/protection.ts';
import { ProblemError } from '../problems/problem.ts';
import { problem } from '../schemas/answers.ts';
import { named, ref } from '../schemas/named.ts';

const ClientCredentials = named(
  'ClientCredentials',
  Type.Object(
    {
      client_id: Type.String({
        minLength: 1,
        maxLength: 64,
        pattern: '^[\\x21-\\x7e]+$',
        examples: ['cli_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
      }),
      client_secret: Type.String({
        minLength: 1,
        maxLength: 256,
        pattern: '^[\\x21-\\x7e]+$',
        examples: ['dGhpcyBpcyBub3QgYSBzZWNyZXQ'],
      }),
      grant_type: Type.Optional(
        Type.String({ enum: ['client_credentials'], description: 'The only supported grant type.' }),
      ),
    },
    { additionalProperties: false },
  ),
);

const MachineToken = named(
  'MachineToken',
  Type.Object({
    access_token: Type.String({
      description: 'A JWT (RFC 9068) with the id and the roles of the user that the client acts for.',
      examples: ['eyJhbGciOiJFZERTQSJ9.e30.c2ln'],
    }),
    token_type: Type.String({ examples: ['Bearer'] }),
    expires_in: Type.Integer({ description: 'Seconds until the token expires.', examples: [300] }),
    scope: Type.String({
      description: 'The scopes of the token, separated by blanks.',
      examples: ['accounts:read payments:write'],
    }),
  }),
);

export const machineTokenSchemas = [ClientCredentials, MachineToken];

/** The platform's own services log in too, but never through the gateway. */
const PUBLIC_CLIENT = /^cli_/;

interface Options {
  auth: Neighbours['auth'];
  loginsPerMinute: number;
}

export const machineTokenRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { auth, loginsPerMinute },
) => {
  app.post('/v1/auth/token', {
    config: { access: 'anyone' },
    preHandler: limitLogins(app, {
      perMinute: loginsPerMinute,
      nameOf: (body: Static<typeof ClientCredentials>) => body.client_id,
    }),
    schema: {
      tags: ['auth'],
      operationId: 'loginClient',
      summary: 'Log in as an API client (the client-credentials grant of RFC 6749, in JSON)',
      body: ref(ClientCredentials),
      response: {
        200: ref(MachineToken),
        401: problem(
          ['INVALID_CREDENTIALS'],
          'An unknown client, a revoked one and a wrong secret get the same response.',
        ),
      },
    },
    handler: async ({ body: { client_id, client_secret }, deadline }) => {
      if (!PUBLIC_CLIENT.test(client_id)) {
        throw new ProblemError('INVALID_CREDENTIALS', 'The name or the password is wrong.');
      }
      const message = { clientId: client_id, clientSecret: client_secret };
      const token = await auth.loginClient(message, { deadline });
      return {
        access_token: token.accessToken,
        token_type: token.tokenType,
        expires_in: token.expiresIn,
        scope: token.scope ?? '',
      };
    },
  });
};
