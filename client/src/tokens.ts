/** The access token. It is obtained by login and renewed before it expires, once for all waiting calls. */
import type { components } from '../gen/openapi.ts';
import { assertionBody } from './assertion.ts';
import { type Attempt, deliver, type Sendable } from './deliver.ts';
import { refused } from './errors.ts';
import type { AccessToken, Identity } from './options.ts';

export interface Tokens {
  /** Returns a token that is valid for a while. */
  current(): Promise<string>;
  /** Returns another token than `used`, which the platform refused. */
  after(used: string): Promise<string>;
  /** Returns a token of a new login, because that of `used` is too old. */
  afterLogin(used: string): Promise<string>;
}

type Grant = Pick<components['schemas']['Tokens'], 'access_token' | 'expires_in'> & {
  refresh_token?: string;
};

interface Deps {
  gateway: string;
  retryTimeoutMs: number;
  attempt: Attempt;
}

/** Renewed this long before it expires, so that it outlasts the request that carries it. */
const MARGIN_MS = 30_000;

export function createTokens(as: Identity, deps: Deps): Tokens {
  if ('accessToken' in as) {
    const given = async () => as.accessToken();
    return { current: given, after: async (used) => as.accessToken(used), afterLogin: given };
  }
  return renewed(
    () => logIn(as, deps),
    (token) => refresh(deps, token),
  );
}

function logIn(as: Exclude<Identity, AccessToken>, deps: Deps): Promise<Grant> {
  if ('username' in as)
    return grant(deps, '/v1/auth/login', { username: as.username, password: as.password });
  if ('clientSecret' in as)
    return grant(deps, '/v1/auth/token', { client_id: as.clientId, client_secret: as.clientSecret });
  // Each attempt has a new assertion: the platform may have accepted that of an attempt whose response was lost.
  const attempt: Attempt = async (request, signal) =>
    deps.attempt({ ...request, body: await assertionBody(as, deps.gateway) }, signal);
  return grant({ ...deps, attempt }, '/v1/auth/token', {});
}

/**
 * Attempts in a caller's name. A token that the platform does not take, or whose login is too old for the action, is replaced, once an
 * attempt.
 */
export function attemptsAs(tokens: Tokens, attempt: Attempt): Attempt {
  return async (request, signal) => {
    const token = await tokens.current();
    const answer = await attempt(withToken(request, token), signal);
    const renew = await renewalFor(answer, tokens);
    if (!renew) return answer;
    const other = await renew(token);
    return other === token ? answer : attempt(withToken(request, other), signal);
  };
}

/** Other errors with these statuses are about the request, such as a wrong password in it. */
async function renewalFor(
  answer: Response,
  tokens: Tokens,
): Promise<((used: string) => Promise<string>) | undefined> {
  if (answer.status !== 401 && answer.status !== 403) return undefined;
  const body: unknown = await answer
    .clone()
    .json()
    .catch(() => undefined);
  const { code } = (body ?? {}) as { code?: unknown };
  if (code === 'UNAUTHENTICATED') return tokens.after;
  return code === 'LOGIN_TOO_OLD' ? tokens.afterLogin : undefined;
}

function withToken(request: Sendable, token: string): Sendable {
  const headers = new Headers(request.headers);
  headers.set('authorization', `Bearer ${token}`);
  return { ...request, headers };
}

function renewed(
  logIn: () => Promise<Grant>,
  refresh: (token: string) => Promise<Grant | undefined>,
): Tokens {
  let held: { token: string; refreshToken: string | undefined; renewAt: number } | undefined;
  let renewal: Promise<string> | undefined;

  async function renew(): Promise<string> {
    const refreshed = held?.refreshToken === undefined ? undefined : await refresh(held.refreshToken);
    const { access_token, refresh_token, expires_in } = refreshed ?? (await logIn());
    const renewAt = performance.now() + expires_in * 1_000 - MARGIN_MS;
    held = { token: access_token, refreshToken: refresh_token, renewAt };
    return access_token;
  }

  function renewOnce(): Promise<string> {
    renewal ??= renew().finally(() => {
      renewal = undefined;
    });
    return renewal;
  }

  return {
    current: async () => (held && performance.now() < held.renewAt ? held.token : renewOnce()),
    after: async (used) => (held && held.token !== used ? held.token : renewOnce()),
    async afterLogin(used) {
      if (held?.token === used) held = undefined;
      return held?.token ?? renewOnce();
    },
  };
}

async function grant(deps: Deps, path: string, credentials: object): Promise<Grant> {
  const retryOptions = { retryTimeoutMs: deps.retryTimeoutMs, repeatable: true, signal: undefined };
  const answer = await deliver(deps.attempt, request(deps, path, credentials), retryOptions);
  const body: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) throw refused(answer, body);
  return body as Grant;
}

/**
 * A refresh token is valid once. The key makes a retry safe if the response is lost. Undefined if the session has ended: the client
 * then logs in again.
 */
async function refresh(deps: Deps, token: string): Promise<Grant | undefined> {
  const spend = request(deps, '/v1/auth/refresh', { refresh_token: token });
  spend.headers.set('idempotency-key', crypto.randomUUID());
  const retryOptions = { retryTimeoutMs: deps.retryTimeoutMs, repeatable: true, signal: undefined };
  const answer = await deliver(deps.attempt, spend, retryOptions);
  if (answer.ok) return (await answer.json()) as Grant;
  if (answer.status === 401) return undefined;
  throw refused(answer, await answer.json().catch(() => undefined));
}

function request({ gateway }: Deps, path: string, body: object) {
  const headers = new Headers({ 'content-type': 'application/json' });
  return { url: new URL(path, gateway).href, method: 'POST', headers, body: JSON.stringify(body) };
}
