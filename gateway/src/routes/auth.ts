/** Logins and sessions of people. For machines see machine-tokens.ts. */
import { hash } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { asCaller, PEOPLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { limitLogins } from '../http/protection.ts';
import { problem } from '../schemas/answers.ts';
import { presentPassword, username } from '../schemas/credentials.ts';
import { keyOf, optionalKey } from '../schemas/idempotency.ts';
import { UserId } from '../schemas/ids.ts';
import { named, ref } from '../schemas/named.ts';
import { Tokens, tokensJson } from '../schemas/tokens.ts';
import { ROLES } from '../schemas/user.ts';

export const Credentials = named(
  'Credentials',
  Type.Object({ username, password: presentPassword }, { additionalProperties: false }),
);

const RefreshToken = named(
  'RefreshToken',
  Type.Object(
    {
      refresh_token: Type.String({
        minLength: 1,
        maxLength: 1024,
        pattern: '^[\\x21-\\x7e]+$',
        examples: ['bm90IGEgdG9rZW4'],
      }),
    },
    { additionalProperties: false },
  ),
);

const Me = named(
  'Me',
  Type.Object({
    id: ref(UserId),
    username: Type.String({ examples: ['alice'] }),
    roles: Type.Array(ROLES.schema),
  }),
);

export const authSchemas = [Tokens, Credentials, RefreshToken, Me];

/** The first half of a refresh token is the same for all tokens of a session. Its hash is no secret. */
export function sessionOf({ refresh_token }: { refresh_token: string }): string {
  return hash('sha256', refresh_token.slice(0, REFRESH_TOKEN_LENGTH / 2));
}

const REFRESH_TOKEN_LENGTH = 86;

interface Options {
  auth: Neighbours['auth'];
  loginsPerMinute: number;
  refreshesPerMinute: number;
}

export const authRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { auth, loginsPerMinute, refreshesPerMinute },
) => {
  app.post('/v1/auth/login', {
    config: { access: 'anyone' },
    preHandler: limitLogins(app, {
      perMinute: loginsPerMinute,
      nameOf: (body: Static<typeof Credentials>) => body.username,
    }),
    schema: {
      tags: ['auth'],
      operationId: 'login',
      summary: 'Log in with a username and a password',
      body: ref(Credentials),
      response: {
        200: ref(Tokens),
        401: problem(
          ['INVALID_CREDENTIALS', 'SECOND_FACTOR_REQUIRED'],
          '`INVALID_CREDENTIALS`: an unknown user, a disabled one and a wrong password get the same response. `SECOND_FACTOR_REQUIRED`: the password is right; send `challenge` to `POST /v1/auth/login/second-factor`.',
        ),
        403: problem(
          ['PASSWORD_CHANGE_REQUIRED'],
          'The password is a one-time password: replace it at `POST /v1/auth/one-time-password`.',
        ),
        429: problem(['TOO_MANY_LOGINS']),
      },
    },
    handler: async ({ body, ip, deadline }) => {
      const { tokens } = await auth.login({ ...body, clientAddress: ip }, { deadline });
      return tokensJson(tokens);
    },
  });

  app.post('/v1/auth/refresh', {
    config: { access: 'anyone' },
    preHandler: limitLogins(app, { perMinute: refreshesPerMinute, nameOf: sessionOf }),
    schema: {
      tags: ['auth'],
      operationId: 'refreshTokens',
      summary: 'Exchange a refresh token for a new pair of tokens',
      description:
        'A refresh token can be used once. If it is used twice, all refresh tokens of the same login are revoked. A retry with the same Idempotency-Key within a minute is no second use: it returns another pair, and the pair of the first response is no longer valid. A session ends 90 days after its login, unless the platform is configured otherwise.',
      headers: optionalKey,
      body: ref(RefreshToken),
      response: {
        200: ref(Tokens),
        401: problem(['INVALID_REFRESH_TOKEN'], 'The token is unknown, used, expired or revoked.'),
      },
    },
    handler: async ({ body, headers, deadline }) => {
      const request = { refreshToken: body.refresh_token, requestId: keyOf(headers) };
      const { tokens } = await auth.refreshTokens(request, { deadline });
      return tokensJson(tokens);
    },
  });

  app.post('/v1/auth/logout', {
    config: { access: 'anyone' },
    schema: {
      tags: ['auth'],
      operationId: 'logout',
      summary: 'Revoke a refresh token and all others of the same login',
      body: ref(RefreshToken),
      response: { 204: Type.Null({ description: 'The token is revoked, or was unknown.' }) },
    },
    handler: async ({ body, deadline }, reply) => {
      await auth.logout({ refreshToken: body.refresh_token }, { deadline });
      return reply.code(204).send(null);
    },
  });

  app.get('/v1/auth/me', {
    config: { access: PEOPLE, setup: true },
    schema: {
      tags: ['auth'],
      operationId: 'getMe',
      summary: 'Get the user of the access token',
      response: { 200: ref(Me), 404: problem(['USER_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { user } = await auth.getMe({}, asCaller(request));
      if (!user) throw new Error('The response of auth has no user.');
      return { id: user.id, username: user.username, roles: user.roles.map(ROLES.nameOf) };
    },
  });
};
