/** Reads and writes the list of revoked access tokens. */
import type { Revocation } from '@payflowx/chassis';
import { type Kysely, sql, type Transaction } from 'kysely';
import { endOfTokens } from '../domain/revocation.ts';
import type { Database } from './database.ts';

/**
 * Adds the ids to the list. It must be the last statement of its transaction. Transactions that add rows wait for each other's commits
 * here. So the order of the positions is the order of the commits.
 */
export async function insertRevocations(
  trx: Transaction<Database>,
  ids: readonly string[],
  { now, notBefore = null }: { now: Date; notBefore?: Date | null },
): Promise<void> {
  if (ids.length === 0) return;
  await sql`select pg_advisory_xact_lock(hashtext('auth.revocations'))`.execute(trx);
  const row = { not_before: notBefore, expires_at: endOfTokens(now) };
  await trx
    .insertInto('revocations')
    .values(ids.map((id) => ({ id, ...row })))
    .execute();
}

export interface StoredRevocation extends Revocation {
  position: bigint;
}

export async function listRevocations(
  db: Kysely<Database>,
  { after, limit, now }: { after: bigint; limit: number; now: Date },
): Promise<StoredRevocation[]> {
  const rows = await db
    .selectFrom('revocations')
    .select(['position', 'id', 'not_before', 'expires_at'])
    .where('position', '>', after)
    .where('expires_at', '>', now)
    .orderBy('position')
    .limit(limit)
    .execute();
  return rows.map(({ position, id, not_before, expires_at: expiresAt }) => ({
    position,
    id,
    notBeforeS: not_before === null ? undefined : not_before.getTime() / 1000,
    expiresAt,
  }));
}

/** 0 if the list is empty. */
export async function newestPosition(db: Kysely<Database>): Promise<bigint> {
  const row = await db
    .selectFrom('revocations')
    .select(({ fn }) => fn.max('position').as('position'))
    .executeTakeFirst();
  return row?.position ?? 0n;
}

/** Returns the last position that was given out, also to rows that are not committed or are deleted. */
export async function lastPosition(db: Kysely<Database>): Promise<bigint> {
  const { rows } = await sql<{
    last: bigint;
  }>`select last_value as last from revocations_position_seq`.execute(db);
  return rows[0]?.last ?? 0n;
}

export async function deleteExpiredRevocations(db: Kysely<Database>, now: Date): Promise<void> {
  await db.deleteFrom('revocations').where('expires_at', '<=', now).execute();
}
