/** Delays logins after failures. The counts are in the database, so all instances share them. */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { tooManyLogins } from '../domain/errors.ts';
import { KNOWN_NETWORKS_MAX, maySkipDelay, oldestKnownLogin } from '../domain/known-login-pair.ts';
import { countFailure, type ThrottleKey, type ThrottleKeys, waitMs } from '../domain/login-throttle.ts';
import type { Database } from '../store/database.ts';
import { deleteKnownPairs, isKnownPair, saveKnownPair, trimKnownPairs } from '../store/known-login-pairs.ts';
import {
  deleteExpiredCounts,
  deleteFailureCounts,
  findFailureCounts,
  lockFailureCounts,
  saveFailureCounts,
} from '../store/login-throttles.ts';

interface Deps {
  db: Kysely<Database>;
  now(): Date;
}

/** Milliseconds that this try would have to wait if its pair were unknown. 0 if nothing delays it. */
export interface Admission {
  skippedMs: number;
}

/**
 * Admits a try, or throws TOO_MANY_LOGINS with the time to wait. A try that is refused here is not counted: waiting is enough.
 * All names, known or not, get the same error after the same queries.
 */
export async function admitTry({ db, now }: Deps, keys: ThrottleKeys): Promise<Admission> {
  const at = now();
  const counts = await findFailureCounts(db, Object.values(keys), at);
  const delayMs = waitMs(counts, at);
  if (delayMs === 0) return { skippedMs: 0 };
  if (!maySkipDelay(counts, at) || !(await isKnownPair(db, keys.pair.key, oldestKnownLogin(at)))) {
    throw tooManyLogins(delayMs);
  }
  return { skippedMs: delayMs };
}

export async function recordFailure(deps: Deps, keys: ThrottleKeys): Promise<void> {
  await countFailures(deps, Object.values(keys));
}

async function countFailures({ db, now }: Deps, keys: readonly ThrottleKey[]): Promise<void> {
  await inTransaction(db, (trx) => countFailuresIn(trx, keys, now()));
}

async function countFailuresIn(
  trx: Transaction<Database>,
  keys: readonly ThrottleKey[],
  at: Date,
): Promise<void> {
  const locked = await lockFailureCounts(trx, keys, at);
  const counted = locked.map(({ kind, key, ...count }) => ({
    kind,
    key,
    ...countFailure(kind, count, at),
  }));
  await saveFailureCounts(trx, counted);
}

/**
 * Deletes the failure counts of the pair and the account, and stores the pair as known. The address keeps its count: otherwise an
 * attacker could reset it by logging in to an account of their own. The account keeps its count too while it delays others, so
 * that guessers at other addresses stay delayed.
 */
export async function recordSuccess(
  trx: Transaction<Database>,
  login: { keys: ThrottleKeys; userId: string; loginAt: Date; admission: Admission },
): Promise<void> {
  const { keys, userId, loginAt, admission } = login;
  await deleteFailureCounts(trx, admission.skippedMs > 0 ? [keys.pair] : [keys.pair, keys.account]);
  await saveKnownPair(trx, { key: keys.pair.key, userId, loginAt });
  await trimKnownPairs(trx, userId, KNOWN_NETWORKS_MAX);
}

/** Admits a guess of a caller who is known already, or throws TOO_MANY_LOGINS with the time to wait. */
export async function admitGuess({ db, now }: Deps, key: ThrottleKey): Promise<void> {
  const at = now();
  const delayMs = waitMs(await findFailureCounts(db, [key], at), at);
  if (delayMs > 0) throw tooManyLogins(delayMs);
}

export async function recordGuess(deps: Deps, key: ThrottleKey): Promise<void> {
  await countFailures(deps, [key]);
}

/**
 * As `admitGuess` and `recordGuess`, for guesses that are checked in a transaction. They take turns from `admit` to the commit, so that of
 * many concurrent guesses those behind the failures are refused.
 */
export function guessesIn(trx: Transaction<Database>, { now }: Pick<Deps, 'now'>, key: ThrottleKey) {
  return {
    async admit(): Promise<void> {
      const at = now();
      const delayMs = waitMs(await lockFailureCounts(trx, [key], at), at);
      if (delayMs > 0) throw tooManyLogins(delayMs);
    },
    countFailure: () => countFailuresIn(trx, [key], now()),
    forget: () => deleteFailureCounts(trx, [key]),
  };
}

export async function forgetGuesses(trx: Transaction<Database>, key: ThrottleKey): Promise<void> {
  await deleteFailureCounts(trx, [key]);
}

/** Deletes expired counts and known pairs. */
export async function deleteOldLogins({ db, now }: Deps): Promise<void> {
  const at = now();
  await deleteExpiredCounts(db, at);
  await deleteKnownPairs(db, oldestKnownLogin(at));
}
