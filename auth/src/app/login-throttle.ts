/** Failed logins delay the next try. They are counted in the database: all instances count together. */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { tooManyLogins } from '../domain/errors.ts';
import { countFailure, type ThrottleKey, waitMs } from '../domain/login-throttle.ts';
import type { Database } from '../store/database.ts';
import {
  deleteForgottenCounts,
  findFailureCounts,
  lockFailureCounts,
  saveFailureCounts,
} from '../store/login-throttles.ts';

interface Deps {
  db: Kysely<Database>;
  now(): Date;
}

/** Throws TOO_MANY_LOGINS with the time to wait. A try that is refused here is not counted: waiting is enough. */
export async function requireNoDelay({ db, now }: Deps, keys: readonly ThrottleKey[]): Promise<void> {
  const at = now();
  const wait = waitMs(await findFailureCounts(db, keys, at), at);
  if (wait > 0) throw tooManyLogins(wait);
}

export async function recordFailure({ db, now }: Deps, keys: readonly ThrottleKey[]): Promise<void> {
  await inTransaction(db, async (trx) => {
    const at = now();
    const locked = await lockFailureCounts(trx, keys, at);
    const counted = locked.map(({ kind, key, count }) => ({
      kind,
      key,
      count: countFailure(kind, count, at),
    }));
    await saveFailureCounts(trx, counted);
  });
}

export async function forgetOldFailures({ db, now }: Deps): Promise<void> {
  await deleteForgottenCounts(db, now());
}
