/** How failed logins delay the next try. Pure. Why it is counted three ways is in the README. */
import { createHash } from 'node:crypto';

export interface FailureCount {
  failures: number;
  /** The next try may come then; null while tries are free. */
  blockedUntil: Date | null;
  /** When the count starts anew. */
  forgottenAt: Date;
}

interface Delays {
  /** The first failure that delays the next try: people mistype. */
  delaysFrom: number;
  /** The first delay; each further failure doubles it, up to `maxMs`. */
  firstMs: number;
  maxMs: number;
  /** A count without a failure for this long is forgotten. */
  forgetMs: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const DELAYS = {
  /** One address against one account: hard, since it hurts nobody else. */
  pair: { delaysFrom: 5, firstMs: 1_000, maxMs: 15 * MINUTE, forgetMs: 24 * HOUR },
  /** All addresses against one account: soft, since its true user waits too. */
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

/** What a login of this name from this network counts against. The name need not be anybody's. */
export function throttleKeys(username: string, network: string): ThrottleKeys {
  const name = username.toLowerCase();
  return {
    pair: keyOf('pair', name, network),
    account: keyOf('account', name),
    address: keyOf('address', network),
  };
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
 * The count after one more failure. Its delay begins when the last one ends: so a failure of a try that need not wait (a known pair's)
 * is waited for by the others, and no more guesses come through in the long run than without known pairs.
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

/** How long the next try has to wait; 0: it may come now. */
export function waitMs(counts: readonly Pick<FailureCount, 'blockedUntil'>[], now: Date): number {
  const waits = counts.map(({ blockedUntil }) => (blockedUntil ? blockedUntil.getTime() - now.getTime() : 0));
  return Math.max(0, ...waits);
}
