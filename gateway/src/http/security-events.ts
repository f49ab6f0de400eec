/** Records refused requests as security events. Services record what they refuse too, but only the gateway knows the client's address. */
import { type Logger, type SecurityEvent, securityEventsOf } from '@payflowx/chassis';
import type { FastifyInstance } from 'fastify';
import { toProblem } from '../problems/problem.ts';
import type { ProblemCode } from '../problems/problem-codes.ts';

/** Each refusal of a known caller with status 403 is here: a test checks it. */
export const EVENTS: Partial<Record<ProblemCode, SecurityEvent>> = {
  UNAUTHENTICATED: 'token_refused',
  INVALID_REFRESH_TOKEN: 'refresh_refused',
  ROLE_NOT_ALLOWED: 'access_refused',
  ACTION_NOT_ALLOWED: 'access_refused',
  OWN_ACCOUNT: 'access_refused',
  CROSS_SITE_REQUEST: 'access_refused',
  NOT_YOUR_ENDPOINT: 'access_refused',
  INSUFFICIENT_SCOPE: 'access_refused',
  LOGIN_TOO_OLD: 'access_refused',
  SECOND_FACTOR_SETUP_REQUIRED: 'access_refused',
  TOO_MANY_REQUESTS: 'rate_limited',
  TOO_MANY_LOGINS: 'login_throttled',
};

/** The only route on which machines log in. People log in on all others. */
const MACHINE_LOGIN = '/v1/auth/token';

export function recordSecurityEvents(app: FastifyInstance, log: Logger): void {
  const events = securityEventsOf(log);
  // Runs only for requests that fail.
  app.addHook('onError', (request, _reply, error, done) => {
    const { problem, options } = toProblem(error);
    const route = request.routeOptions.url;
    const event = problem === 'INVALID_CREDENTIALS' ? loginEventOf(route) : EVENTS[problem];
    // A request without any token is no attack: browsers and new integrations send such requests.
    const isOrdinary = problem === 'UNAUTHENTICATED' && request.headers.authorization === undefined;
    if (event && !isOrdinary) {
      events.record(event, {
        reason: problem,
        detail: codeOf(options.cause),
        subject: request.caller?.id,
        client_id: request.caller?.clientId,
        route: `${request.method} ${route}`,
        address: request.ip,
        request_id: request.id,
        trace_id: request.trace.traceId,
      });
    }
    done();
  });
}

function loginEventOf(route: string | undefined): SecurityEvent {
  return route === MACHINE_LOGIN ? 'client_login_failed' : 'login_failed';
}

/** The code of the JWT library, such as FST_JWT_AUTHORIZATION_TOKEN_EXPIRED. The client gets the same answer for all of them. */
function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
