/** Moves the times of one account for its test clock, and keeps the requests that did so. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { BegunWindows } from '../domain/test-clock.ts';
import type { Database } from './database.ts';

export interface Advance {
  accountId: string;
  callerId: string;
  requestId: string;
  seconds: number;
  /** Seconds of all requests for the account up to this one. */
  totalS: number;
  movedHolds: number;
}

/** Returns the request that has this id already. */
export async function findAdvance(
  db: Kysely<Database>,
  { callerId, requestId }: Pick<Advance, 'callerId' | 'requestId'>,
): Promise<Advance | undefined> {
  return db
    .selectFrom('test_clock_advances')
    .where('caller_id', '=', callerId)
    .where('request_id', '=', requestId)
    .select(['account_id as accountId', 'caller_id as callerId', 'request_id as requestId', 'seconds'])
    .select(['total_s as totalS', 'moved_holds as movedHolds'])
    .executeTakeFirst();
}

/** Returns the seconds of all requests so far. */
export async function readAdvancedS(db: Kysely<Database>, accountId: string): Promise<number> {
  const newest = await db
    .selectFrom('test_clock_advances')
    .where('account_id', '=', accountId)
    .select('total_s')
    .orderBy('total_s', 'desc')
    .limit(1)
    .executeTakeFirst();
  return newest?.total_s ?? 0;
}

/** The caller holds the account's lock. Returns false if another request took the id first. */
export async function insertAdvance(
  trx: Transaction<Database>,
  { accountId, callerId, requestId, seconds, totalS, movedHolds }: Advance,
  createdAt: Date,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('test_clock_advances')
    .values({
      account_id: accountId,
      total_s: totalS,
      caller_id: callerId,
      request_id: requestId,
      seconds,
      moved_holds: movedHolds,
      created_at: createdAt,
    })
    .onConflict((conflict) => conflict.columns(['caller_id', 'request_id']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Deletes the account's requests from before this time. The newest one stays, because it has the total. */
export async function deleteOldAdvances(
  trx: Transaction<Database>,
  accountId: string,
  before: Date,
): Promise<void> {
  await trx
    .deleteFrom('test_clock_advances')
    .where('account_id', '=', accountId)
    .where('created_at', '<', before)
    .where(
      'total_s',
      '<',
      sql<number>`(select max(total_s) from test_clock_advances where account_id = ${accountId})`,
    )
    .execute();
}

/**
 * Moves the windows of the account's limits back, and those of the mandates by which it is collected from. The row is written even if no window moves: its version then tells decisions in
 * flight that the account's holds have changed.
 */
export async function moveWindows(
  trx: Transaction<Database>,
  accountId: string,
  { days, months }: BegunWindows,
): Promise<void> {
  await sql`
    update balances set
      spent_day = spent_day - ${days}::int4,
      spent_month = (spent_month - make_interval(months => ${months}::int4))::date
    where account_id = ${accountId}`.execute(trx);
  await sql`
    update mandates set
      spent_day = spent_day - ${days}::int4,
      spent_month = (spent_month - make_interval(months => ${months}::int4))::date
    where from_account = ${accountId}`.execute(trx);
}

/**
 * Moves the ends of the holds that the account pays for, with the windows in which its limits counted them. So a release still gives back
 * what was counted in a window that is in use. Returns their number. The caller holds the account's lock, and no hold changes without it.
 */
export async function moveHolds(
  trx: Transaction<Database>,
  accountId: string,
  { seconds, windows: { days, months } }: { seconds: number; windows: BegunWindows },
): Promise<number> {
  const { rows } = await sql<{ moved: number }>`
    select advance_holds(${accountId}, ${seconds}::int4, ${days}::int4, ${months}::int4) as moved`.execute(
    trx,
  );
  return rows[0]?.moved ?? 0;
}

export interface HoldEnd {
  paymentId: string;
  expiresAt: Date;
}

/** Returns the ends of the open holds that the account pays for, at most `limit`. */
export async function listHoldEnds(
  db: Kysely<Database>,
  accountId: string,
  limit: number,
): Promise<HoldEnd[]> {
  return db
    .selectFrom('holds')
    .where('from_account', '=', accountId)
    .where('state', '=', 'OPEN')
    .select(['payment_id as paymentId', 'expires_at as expiresAt'])
    .limit(limit)
    .execute();
}
