/**
 * The session of the person. The access token is only in memory. The refresh token is in a cookie that no script can read. All tabs
 * share one session: one of them renews the token for all, and the end of the session ends it in all.
 */
import { createPayFlowX, PayFlowXError, type Schema } from '@payflowx/client';
import { useSyncExternalStore } from 'react';

export type Me = Schema<'Me'>;
export type Role = Me['roles'][number];

export type SessionState =
  | { phase: 'starting' }
  | { phase: 'signed-out'; reason?: string }
  | { phase: 'unreachable'; error: unknown }
  /** The person's role needs a second factor, and there is none. Nothing else is possible. */
  | { phase: 'setup'; me: Me }
  | { phase: 'signed-in'; me: Me };

interface Held {
  token: string;
  renewAt: number;
  /** The token is only for the setup of a second factor. */
  isSetup: boolean;
}

type Message =
  | { kind: 'ask'; refused: string | undefined }
  | { kind: 'token'; held: Held }
  | { kind: 'signed-in' }
  | { kind: 'signed-out' };

const NAME = 'payflowx-session';
/** Set while the browser may have a session. Without it, the page asks for the password at once, without a failing request. */
const HINT = 'payflowx-has-session';
/** The key of a renewal that may have been sent. A reload repeats it, so the refresh token is not used twice. */
const RENEWAL_KEY = 'payflowx-renewal';
/** Renewed this long before it expires, so that it outlasts the request that carries it. */
const MARGIN_MS = 30_000;
/** Other tabs answer within this time, if there are any. */
const ASK_MS = 120;

const anonymous = createPayFlowX({ gateway: location.origin, retryTimeoutMs: 10_000 });
const tabs = new BroadcastChannel(NAME);
const listeners = new Set<() => void>();
const endings = new Set<() => void>();
const answers = new Set<(held: Held) => void>();

let state: SessionState = { phase: 'starting' };
let held: Held | undefined;
let renewal: Promise<string> | undefined;

const tell = (message: Message) => tabs.postMessage(message);

tabs.onmessage = ({ data }: MessageEvent<Message>) => {
  if (data.kind === 'ask' && isFresh(held, data.refused)) tell({ kind: 'token', held });
  if (data.kind === 'token') {
    held = data.held;
    for (const answer of answers) answer(data.held);
  }
  if (data.kind === 'signed-out') end('You signed out, or the session was ended.');
  // Another person may have signed in: nothing on this page is theirs.
  if (data.kind === 'signed-in') location.reload();
};

function isFresh(token: Held | undefined, refused: string | undefined): token is Held {
  return token !== undefined && token.token !== refused && Date.now() < token.renewAt;
}

function change(next: SessionState): void {
  state = next;
  for (const listener of listeners) listener();
}

export function useSession(): SessionState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** Runs when the session ends, to forget what the person saw. */
export function onSessionEnd(forget: () => void): void {
  endings.add(forget);
}

/** Returns a valid access token, and another one than `refused`. Rejects if the session has ended. */
export async function accessToken(refused?: string): Promise<string> {
  if (isFresh(held, refused)) return held.token;
  renewal ??= renewOnce(refused).finally(() => {
    renewal = undefined;
  });
  return renewal;
}

/** Only one tab renews at a time. The others find its token when their turn comes. */
function renewOnce(refused: string | undefined): Promise<string> {
  return navigator.locks.request(NAME, async () => {
    const known = isFresh(held, refused) ? held : await askTabs(refused);
    if (known) return known.token;
    return renew();
  });
}

function askTabs(refused: string | undefined): Promise<Held | undefined> {
  return new Promise((resolve) => {
    const finish = (found?: Held) => {
      answers.delete(take);
      clearTimeout(timer);
      resolve(found);
    };
    const take = (found: Held) => {
      if (isFresh(found, refused)) finish(found);
    };
    const timer = setTimeout(finish, ASK_MS);
    answers.add(take);
    tell({ kind: 'ask', refused });
  });
}

async function renew(): Promise<string> {
  const key = localStorage.getItem(RENEWAL_KEY) ?? crypto.randomUUID();
  localStorage.setItem(RENEWAL_KEY, key);
  try {
    const { data } = await anonymous.post('/v1/auth/browser-session/refresh', { body: {}, key });
    localStorage.removeItem(RENEWAL_KEY);
    return keep(data);
  } catch (error) {
    if (!(error instanceof PayFlowXError) || error.code !== 'INVALID_REFRESH_TOKEN') throw error;
    localStorage.removeItem(RENEWAL_KEY);
    const wasSignedIn = state.phase === 'signed-in' || state.phase === 'setup';
    end(wasSignedIn ? 'Your session has ended. Sign in again.' : undefined);
    if (wasSignedIn) tell({ kind: 'signed-out' });
    throw error;
  }
}

function keep({ access_token, expires_in, restricted_to }: Schema<'BrowserToken'>): string {
  const renewAt = Date.now() + expires_in * 1_000 - MARGIN_MS;
  held = { token: access_token, renewAt, isSetup: restricted_to !== undefined };
  localStorage.setItem(HINT, 'yes');
  tell({ kind: 'token', held });
  return access_token;
}

function end(reason?: string): void {
  held = undefined;
  localStorage.removeItem(HINT);
  for (const forget of endings) forget();
  change({ phase: 'signed-out', ...(reason !== undefined && { reason }) });
}

async function loadMe(): Promise<void> {
  const api = createPayFlowX({ gateway: location.origin, as: { accessToken } });
  const { data: me } = await api.get('/v1/auth/me');
  change({ phase: held?.isSetup ? 'setup' : 'signed-in', me });
}

/** Continues with all rights, after the person has set up the second factor. */
export async function finishSetup(): Promise<void> {
  await accessToken(held?.token);
  await loadMe();
}

/** Continues the browser's session, if it has one. */
export async function startSession(): Promise<void> {
  if (localStorage.getItem(HINT) === null) return change({ phase: 'signed-out' });
  change({ phase: 'starting' });
  try {
    await accessToken();
    await loadMe();
  } catch (error) {
    if (state.phase !== 'signed-out') change({ phase: 'unreachable', error });
  }
}

/** The question of a login after the password. */
export interface Challenge {
  challenge: string;
  methods: readonly NonNullable<Schema<'Problem'>['methods']>[number][];
  passkeyOptions: Schema<'PasskeyRequestOptions'> | undefined;
}

/** Signs the person in. Returns the challenge for completeLogin if a second factor is needed. Rejects with a PayFlowXError. */
export async function signIn(username: string, password: string): Promise<Challenge | undefined> {
  try {
    const { data } = await anonymous.post('/v1/auth/browser-session', { body: { username, password } });
    await begin(data);
    return undefined;
  } catch (failure) {
    const challenge = challengeOf(failure);
    if (challenge === undefined) throw failure;
    return challenge;
  }
}

function challengeOf(failure: unknown): Challenge | undefined {
  if (!(failure instanceof PayFlowXError) || failure.code !== 'SECOND_FACTOR_REQUIRED') return undefined;
  const { challenge = '', methods = ['totp', 'recovery_code'], passkey_options } = failure.problem;
  return { challenge, methods, passkeyOptions: passkey_options };
}

export async function completeLogin(body: Schema<'LoginCompletion'>): Promise<void> {
  const { data } = await anonymous.post('/v1/auth/browser-session/second-factor', { body });
  await begin(data);
}

async function begin(token: Schema<'BrowserToken'>): Promise<void> {
  const isNewPerson = state.phase !== 'signed-in';
  keep(token);
  await loadMe();
  if (isNewPerson) tell({ kind: 'signed-in' });
}

/** Replaces a one-time password. The person then signs in with the new one. */
export async function replaceOneTimePassword(body: Schema<'OneTimePasswordChange'>): Promise<void> {
  await anonymous.post('/v1/auth/one-time-password', { body });
}

/** The session ends on the server, and in all tabs. Without the server it ends in this browser, and the login page says so. */
export async function signOut(): Promise<void> {
  let reason: string | undefined;
  try {
    await anonymous.delete('/v1/auth/browser-session');
  } catch {
    reason =
      'You are signed out here, but the platform did not confirm it and may still know the session. Sign in and out again to end it.';
  } finally {
    tell({ kind: 'signed-out' });
    end(reason);
  }
}

/** The person's id and roles. Only for pages that are shown to a signed-in person. */
export function useMe(): Me {
  const session = useSession();
  if (session.phase !== 'signed-in') throw new Error('Nobody is signed in.');
  return session.me;
}

export function useRoles(): { has: (...roles: Role[]) => boolean } {
  const { roles } = useMe();
  return { has: (...wanted) => wanted.some((role) => roles.includes(role)) };
}
