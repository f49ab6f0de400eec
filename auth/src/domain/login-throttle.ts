/** Computes how failed logins delay the next try. Pure. The README explains the three counts. */
import { createHash } from 'node:crypto';

export interface FailureCount {
  failures: number;
  /** The time from which the next try is allowed. Null while there is no delay. */
  blockedUntil: Date | null;
  /** The time at which the count returns to 0. */
  forgottenAt: Date;
}

interface Delays {
  /** The first failure that delays the next try. It is not 1, since people mistype. */
  delaysFrom: number;
  /** The first delay. Each further failure doubles it, up to `maxMs`. */
  firstMs: number;
  maxMs: number;
  /** A count without a failure for this long is forgotten. */
  forgetMs: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const DELAYS = {
  /** One address against one account: a long delay, since it affects no other client. */
  pair: { delaysFrom: 5, firstMs: 1_000, maxMs: 15 * MINUTE, forgetMs: 24 * HOUR },
  /** All addresses against one account: a short delay, since the account's owner waits too. */
  account: { delaysFrom: 20, firstMs: 1_000, maxMs: 30_000, forgetMs: HOUR },
  /** One address against all accounts: many people may share it. */
  address: { delaysFrom: 50, firstMs: 1_000, maxMs: MINUTE, forgetMs: HOUR },
} as const satisfies Record<string, Delays>;

export type ThrottleKind = keyof typeof DELAYS;

export interface ThrottleKey {
  kind: ThrottleKind;
  /** 32 bytes. */
  key: Buffer;
}

export type ThrottleKeys = Record<ThrottleKind, ThrottleKey>;

/** Returns the keys that a login of this name from this network counts for. The name need not exist. */
export function throttleKeys(username: string, network: string): ThrottleKeys {
  const name = username.toLowerCase();
  return {
    pair: keyOf('pair', name, network),
    account: keyOf('account', name),
    address: keyOf('address', network),
  };
}

/** Counts wrong passwords of a user who is logged in already. It is apart from logins, so that neither delays the other. */
export function ownPasswordKey(userId: string): ThrottleKey {
  return keyOf('pair', userId, 'own password');
}

/** Counts wrong codes of a second factor, of all addresses: there are only a million codes. */
export function secondFactorKey(userId: string): ThrottleKey {
  return keyOf('pair', userId, 'second factor');
}

function keyOf(kind: ThrottleKind, ...parts: string[]): ThrottleKey {
  return {
    kind,
    key: createHash('sha256')
      .update(JSON.stringify([kind, ...parts]))
      .digest(),
  };
}

/**
 * Returns the count after one more failure. The new delay begins when the current one ends. So a failure of a known pair, which
 * need not wait, still makes the others wait longer. In the long run known pairs therefore allow no extra guesses.
 */
export function countFailure(kind: ThrottleKind, before: FailureCount | undefined, now: Date): FailureCount {
  const { delaysFrom, firstMs, maxMs, forgetMs }: Delays = DELAYS[kind];
  const counted = before && before.forgottenAt > now ? before : undefined;
  const failures = (counted?.failures ?? 0) + 1;
  const forgottenAt = now.getTime() + forgetMs;
  const delayMs = failures < delaysFrom ? 0 : Math.min(maxMs, firstMs * 2 ** (failures - delaysFrom));
  const from = Math.max(now.getTime(), counted?.blockedUntil?.getTime() ?? 0);
  return {
    failures,
    blockedUntil: delayMs === 0 ? null : new Date(Math.min(from + delayMs, forgottenAt)),
    forgottenAt: new Date(forgottenAt),
  };
}

/** Returns the milliseconds that the next try has to wait. 0 if it is allowed now. */
export function waitMs(counts: readonly Pick<FailureCount, 'blockedUntil'>[], now: Date): number {
  const waits = counts.map(({ blockedUntil }) => (blockedUntil ? blockedUntil.getTime() - now.getTime() : 0));
  return Math.max(0, ...waits);
}
