/** Sessions of browsers: the access token in the response, the refresh token in a cookie that no script can read. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { TokenPair } from '@payflowx/proto/auth';
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Neighbours } from '../clients/neighbours.ts';
import { limitLogins } from '../http/protection.ts';
import {
  clearSessionToken,
  requireSameOrigin,
  SESSION_PATH,
  sessionTokenOf,
  setSessionToken,
} from '../http/session-cookie.ts';
import { ProblemError } from '../problems/problem.ts';
import { problem } from '../schemas/answers.ts';
import { keyOf, optionalKey } from '../schemas/idempotency.ts';
import { named, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { Tokens, tokensJson } from '../schemas/tokens.ts';
import { Credentials, sessionOf } from './auth.ts';
import { completionMessage, LoginCompletion } from './second-factors.ts';

const { access_token, token_type, expires_in, restricted_to } = Tokens.properties;
const BrowserToken = named(
  'BrowserToken',
  Type.Object({ access_token, token_type, expires_in, restricted_to }),
);

export const browserSessionSchemas = [BrowserToken];

const FOREIGN = problem(['CROSS_SITE_REQUEST'], 'The request comes from a page of another origin.');
const HOW =
  'For pages of the gateway’s own origin, such as the console. The refresh token is in a cookie that scripts cannot read.';

interface Options {
  auth: Neighbours['auth'];
  loginsPerMinute: number;
  refreshesPerMinute: number;
}

export const browserSessionRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { auth, loginsPerMinute, refreshesPerMinute },
) => {
  /** Ends the session whose cookie a login replaces. Its failure is no failure of the login. */
  async function endReplaced(request: FastifyRequest): Promise<void> {
    const refreshToken = sessionTokenOf(request);
    if (refreshToken === undefined) return;
    await auth.logout({ refreshToken }, { deadline: request.deadline }).catch((error: unknown) => {
      request.log.warn({ err: error }, 'the session before this login did not end');
    });
  }

  app.post(SESSION_PATH, {
    config: { access: 'anyone' },
    preHandler: [
      requireSameOrigin,
      limitLogins(app, {
        perMinute: loginsPerMinute,
        nameOf: (body: Static<typeof Credentials>) => body.username,
      }),
    ],
    schema: {
      tags: ['auth'],
      operationId: 'startBrowserSession',
      summary: 'Log in from a browser',
      description: HOW,
      body: ref(Credentials),
      response: {
        200: ref(BrowserToken),
        401: problem(
          ['INVALID_CREDENTIALS', 'SECOND_FACTOR_REQUIRED'],
          'As for `POST /v1/auth/login`. `SECOND_FACTOR_REQUIRED`: send `challenge` to `POST /v1/auth/browser-session/second-factor`.',
        ),
        403: problem(['CROSS_SITE_REQUEST', 'PASSWORD_CHANGE_REQUIRED']),
        429: problem(['TOO_MANY_LOGINS']),
      },
    },
    handler: async (request, reply) => {
      const { body, ip, deadline } = request;
      const { tokens } = await auth.login({ ...body, clientAddress: ip }, { deadline });
      await endReplaced(request);
      return browserTokenJson(tokens, (token) => setSessionToken(request, reply, token));
    },
  });

  app.post(`${SESSION_PATH}/second-factor`, {
    config: { access: 'anyone' },
    preHandler: [
      requireSameOrigin,
      limitLogins(app, {
        perMinute: loginsPerMinute,
        nameOf: (body: Static<typeof LoginCompletion>) => body.challenge,
      }),
    ],
    schema: {
      tags: ['auth'],
      operationId: 'completeBrowserLogin',
      summary: 'Complete the login of a browser with a second factor',
      description: HOW,
      body: ref(LoginCompletion),
      response: {
        200: ref(BrowserToken),
        401: problem(
          ['INVALID_SECOND_FACTOR'],
          'The code or the passkey is wrong or was used, or the challenge is unknown, used or expired.',
        ),
        403: FOREIGN,
        429: problem(['TOO_MANY_LOGINS']),
      },
    },
    handler: async (request, reply) => {
      const { body, deadline } = request;
      const { tokens } = await auth.completeLogin(completionMessage(body), { deadline });
      await endReplaced(request);
      return browserTokenJson(tokens, (token) => setSessionToken(request, reply, token));
    },
  });

  app.post(`${SESSION_PATH}/refresh`, {
    config: { access: 'anyone', optionalBody: true },
    preHandler: [
      requireSameOrigin,
      requireSession,
      limitLogins(app, {
        perMinute: refreshesPerMinute,
        nameOf: (_body, request) => sessionOf({ refresh_token: requireToken(request) }),
      }),
    ],
    schema: {
      tags: ['auth'],
      operationId: 'refreshBrowserSession',
      summary: 'Get a new access token for the browser’s session',
      description: `${HOW} The cookie is replaced each time. A retry with the same Idempotency-Key within a minute is no second use of its token.`,
      headers: optionalKey,
      body: ref(NoFields),
      response: {
        200: ref(BrowserToken),
        401: problem(['INVALID_REFRESH_TOKEN'], 'The browser has no session, or it has ended.'),
        403: FOREIGN,
      },
    },
    handler: async (request, reply) => {
      const message = { refreshToken: requireToken(request), requestId: keyOf(request.headers) };
      const { tokens } = await auth.refreshTokens(message, { deadline: request.deadline });
      return browserTokenJson(tokens, (token) => setSessionToken(request, reply, token));
    },
  });

  app.delete(SESSION_PATH, {
    config: { access: 'anyone' },
    preHandler: requireSameOrigin,
    schema: {
      tags: ['auth'],
      operationId: 'endBrowserSession',
      summary: 'Log out of the browser’s session',
      description: HOW,
      response: {
        204: Type.Null({ description: 'The session has ended, or there was none. The cookie is removed.' }),
        403: FOREIGN,
      },
    },
    handler: async (request, reply) => {
      const refreshToken = sessionTokenOf(request);
      if (refreshToken !== undefined) await auth.logout({ refreshToken }, { deadline: request.deadline });
      clearSessionToken(request, reply);
      return reply.code(204).send(null);
    },
  });
};

/** Browsers without a session share no limit: their requests end before it. */
async function requireSession(request: FastifyRequest): Promise<void> {
  requireToken(request);
}

function requireToken(request: FastifyRequest): string {
  const token = sessionTokenOf(request);
  if (token !== undefined) return token;
  throw new ProblemError('INVALID_REFRESH_TOKEN', 'The browser has no session. Log in.');
}

/** `keep` stores the refresh token in the browser. It is not part of the response's body. */
function browserTokenJson(
  tokens: TokenPair | undefined,
  keep: (refreshToken: string) => void,
): Static<typeof BrowserToken> {
  const { refresh_token, ...token } = tokensJson(tokens);
  keep(refresh_token);
  return token;
}
