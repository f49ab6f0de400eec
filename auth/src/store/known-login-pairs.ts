/** From which networks users logged in not long ago. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';

/** By the pair's throttle key alone, so that a name which nobody has costs the same. */
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
        // Another instance's clock may be ahead, and its login committed first.
        last_login_at: sql<Date>`greatest(known_login_pairs.last_login_at, excluded.last_login_at)`,
      }),
    )
    .execute();
}

/** Keeps the `max` pairs of a user that logged in last. Of logins at one moment each may keep one more, until the next login. */
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
