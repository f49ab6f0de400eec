/** The access token: got by logging in, renewed before it expires, and only once at a time however many ask. */
import type { components } from '../gen/openapi.ts';
import { type Attempt, deliver } from './deliver.ts';
import { refused } from './errors.ts';
import type { AccessToken, Credentials } from './options.ts';

export interface Tokens {
  /** A token that is good for a while yet. */
  current(): Promise<string>;
  /** Another one than `used`, which the platform did not take. */
  after(used: string): Promise<string>;
}

type TokenPair = components['schemas']['Tokens'];

interface Deps {
  gateway: string;
  patienceMs: number;
  attempt: Attempt;
}

/** Renewed this long before it expires, so that it outlasts the request it is sent with. */
const MARGIN_MS = 30_000;

export function createTokens(as: Credentials | AccessToken, deps: Deps): Tokens {
  if ('accessToken' in as)
    return { current: async () => as.accessToken(), after: async () => as.accessToken() };
  return createRenewedTokens(as, deps);
}

function createRenewedTokens(credentials: Credentials, deps: Deps): Tokens {
  let held: { token: string; refreshToken: string; renewAt: number } | undefined;
  let renewal: Promise<string> | undefined;

  async function renew(): Promise<string> {
    const pair = (held && (await refresh(held.refreshToken))) ?? (await logIn());
    const renewAt = performance.now() + pair.expires_in * 1_000 - MARGIN_MS;
    held = { token: pair.access_token, refreshToken: pair.refresh_token, renewAt };
    return held.token;
  }

  /** A refresh token is good once, so it is sent once. Where that fails, for whatever reason, logging in helps. */
  async function refresh(refreshToken: string): Promise<TokenPair | undefined> {
    const request = post('/v1/auth/refresh', { refresh_token: refreshToken });
    const answer = await deps.attempt(request, undefined).catch(() => undefined);
    return answer?.ok ? ((await answer.json()) as TokenPair) : undefined;
  }

  async function logIn(): Promise<TokenPair> {
    const patience = { patienceMs: deps.patienceMs, repeatable: true, signal: undefined };
    const answer = await deliver(deps.attempt, post('/v1/auth/login', credentials), patience);
    const body: unknown = await answer.json().catch(() => undefined);
    if (!answer.ok) throw refused(answer, body);
    return body as TokenPair;
  }

  const post = (path: string, body: object) => ({
    url: new URL(path, deps.gateway).href,
    method: 'POST',
    headers: new Headers({ 'content-type': 'application/json' }),
    body: JSON.stringify(body),
  });

  function renewOnce(): Promise<string> {
    renewal ??= renew().finally(() => {
      renewal = undefined;
    });
    return renewal;
  }

  return {
    current: async () => (held && performance.now() < held.renewAt ? held.token : renewOnce()),
    after: async (used) => (held && held.token !== used ? held.token : renewOnce()),
  };
}
