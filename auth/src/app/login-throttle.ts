/** Failed logins delay the next try. They are counted in the database: all instances count together. */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { tooManyLogins } from '../domain/errors.ts';
import { KNOWN_NETWORKS_MAX, maySkipDelay, oldestKnownLogin } from '../domain/known-login-pair.ts';
import { countFailure, type ThrottleKeys, waitMs } from '../domain/login-throttle.ts';
import type { Database } from '../store/database.ts';
import { deleteKnownPairs, isKnownPair, saveKnownPair, trimKnownPairs } from '../store/known-login-pairs.ts';
import {
  deleteFailureCounts,
  deleteForgottenCounts,
  findFailureCounts,
  lockFailureCounts,
  saveFailureCounts,
} from '../store/login-throttles.ts';

interface Deps {
  db: Kysely<Database>;
  now(): Date;
}

/** How long this try would have to wait if its pair were unknown. 0: nothing delays it. */
export interface Admission {
  skippedMs: number;
}

/**
 * Lets a try through, or throws TOO_MANY_LOGINS with the time to wait. A try that is refused here is not counted: waiting is enough.
 * Any name, known or not, is refused alike and after the same queries.
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

export async function recordFailure({ db, now }: Deps, keys: ThrottleKeys): Promise<void> {
  await inTransaction(db, async (trx) => {
    const at = now();
    const locked = await lockFailureCounts(trx, Object.values(keys), at);
    const counted = locked.map(({ kind, key, ...count }) => ({
      kind,
      key,
      ...countFailure(kind, count, at),
    }));
    await saveFailureCounts(trx, counted);
  });
}

/**
 * Forgets the failures of the pair and the account, and knows the pair from now on. The address keeps its count: otherwise a good login
 * of one's own would pay for guesses at others'. So does the account while it delays others: those who guess from elsewhere wait on.
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

/** Removes counts and known pairs that are of no use any more. */
export async function forgetOldLogins({ db, now }: Deps): Promise<void> {
  const at = now();
  await deleteForgottenCounts(db, at);
  await deleteKnownPairs(db, oldestKnownLogin(at));
}
