/** Reads and writes the counts of failed logins, and the end of their delays. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { FailureCount, ThrottleKey } from '../domain/login-throttle.ts';
import type { Database } from './database.ts';

type CountOf = ThrottleKey & FailureCount;

/** Returns the unexpired counts of `keys` that have failures. */
export async function findFailureCounts(
  db: Kysely<Database>,
  keys: readonly ThrottleKey[],
  now: Date,
): Promise<CountOf[]> {
  const rows = await db
    .selectFrom('login_throttles')
    .select(['key', 'failures', 'blocked_until', 'forgotten_at'])
    .where('key', '=', sql<Buffer>`any(${keys.map(({ key }) => key)}::bytea[])`)
    .where('forgotten_at', '>', now)
    .execute();
  return toCounts(rows, keys);
}

/** Locks and returns the count of each of `keys`. Missing counts are inserted with 0 failures. */
export async function lockFailureCounts(
  trx: Transaction<Database>,
  keys: readonly ThrottleKey[],
  now: Date,
): Promise<CountOf[]> {
  const rows = keys.map(({ key }) => ({ key, forgotten_at: now }));
  // Inserts in one order of keys, so that two concurrent failures cannot deadlock. The update locks the rows that exist.
  const { rows: locked } = await sql<Selectable<Database['login_throttles']>>`
    insert into login_throttles as t (key, failures, forgotten_at)
    select key, 0, forgotten_at from ${unnest(rows, { key: 'bytea', forgotten_at: 'timestamptz' })} as r order by key
    on conflict (key) do update set failures = t.failures
    returning key, failures, blocked_until, forgotten_at`.execute(trx);
  return toCounts(locked, keys);
}

export async function saveFailureCounts(
  trx: Transaction<Database>,
  counts: readonly CountOf[],
): Promise<void> {
  const rows = counts.map(({ key, failures, blockedUntil, forgottenAt }) => ({
    key,
    failures,
    blocked_until: blockedUntil,
    forgotten_at: forgottenAt,
  }));
  const types = {
    key: 'bytea',
    failures: 'int4',
    blocked_until: 'timestamptz',
    forgotten_at: 'timestamptz',
  } as const;
  await sql`
    update login_throttles as t
    set failures = r.failures, blocked_until = r.blocked_until, forgotten_at = r.forgotten_at
    from ${unnest(rows, types)} as r where t.key = r.key`.execute(trx);
}

export async function deleteFailureCounts(
  trx: Transaction<Database>,
  keys: readonly ThrottleKey[],
): Promise<void> {
  await trx
    .deleteFrom('login_throttles')
    .where('key', '=', sql<Buffer>`any(${keys.map(({ key }) => key)}::bytea[])`)
    .execute();
}

/** Deletes expired counts. */
export async function deleteExpiredCounts(db: Kysely<Database>, now: Date): Promise<void> {
  await db.deleteFrom('login_throttles').where('forgotten_at', '<=', now).execute();
}

function toCounts(
  rows: readonly Selectable<Database['login_throttles']>[],
  keys: readonly ThrottleKey[],
): CountOf[] {
  return rows.flatMap(({ key, failures, blocked_until: blockedUntil, forgotten_at: forgottenAt }) => {
    const found = keys.find((one) => one.key.equals(key));
    return found ? [{ ...found, failures, blockedUntil, forgottenAt }] : [];
  });
}
