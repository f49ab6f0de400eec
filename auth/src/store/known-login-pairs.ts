/** Reads and writes the known pairs: the networks from which users logged in recently. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';

/** Looks up the pair by its throttle key alone, so that an unknown name costs the same. */
export async function isKnownPair(db: Kysely<Database>, key: Buffer, after: Date): Promise<boolean> {
  const row = await db
    .selectFrom('known_login_pairs')
    .select('key')
    .where('key', '=', key)
    .where('last_login_at', '>', after)
    .executeTakeFirst();
  return row !== undefined;
}

export async function saveKnownPair(
  trx: Transaction<Database>,
  pair: { key: Buffer; userId: string; loginAt: Date },
): Promise<void> {
  await trx
    .insertInto('known_login_pairs')
    .values({ key: pair.key, user_id: pair.userId, last_login_at: pair.loginAt })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({
        // A login on an instance whose clock is ahead may have committed first.
        last_login_at: sql<Date>`greatest(known_login_pairs.last_login_at, excluded.last_login_at)`,
      }),
    )
    .execute();
}

/**
 * Keeps the user's `max` pairs with the newest logins. Each of several concurrent logins may keep one more, until the next login.
 */
export async function trimKnownPairs(trx: Transaction<Database>, userId: string, max: number): Promise<void> {
  const surplus = trx
    .selectFrom('known_login_pairs')
    .select('key')
    .where('user_id', '=', userId)
    .orderBy('last_login_at', 'desc')
    .orderBy('key')
    .offset(max);
  await trx.deleteFrom('known_login_pairs').where('key', 'in', surplus).execute();
}

export async function deleteKnownPairs(db: Kysely<Database>, until: Date): Promise<void> {
  await db.deleteFrom('known_login_pairs').where('last_login_at', '<=', until).execute();
}
