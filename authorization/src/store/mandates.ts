/** Reads and writes mandates. Decisions change their use in decided-batch.ts. */
import type { Origin } from '@payflowx/chassis';
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { FoundMandate, Mandate, MandateRecord, MandateState } from '../domain/mandate.ts';
import type { Database, MandatesTable } from './database.ts';

const COLUMNS = [
  'id',
  'from_account',
  'to_account',
  'from_owner_id',
  'to_owner_id',
  'currency',
  'limit_per_payment',
  'limit_daily',
  'limit_monthly',
  'valid_until',
  'reference',
  'spent_day',
  'spent_today',
  'spent_month',
  'spent_this_month',
  'created_by',
  'created_client_id',
  'created_trace_id',
  'created_call_id',
  'created_at',
  'revoked_at',
  'revoked_by',
  'revoked_client_id',
  'revoked_trace_id',
  'revoked_call_id',
] as const satisfies readonly (keyof MandatesTable)[];

type MandateRow = Selectable<Pick<MandatesTable, (typeof COLUMNS)[number]>>;

function toMandate(row: MandateRow): MandateRecord {
  return {
    id: row.id,
    fromAccount: row.from_account,
    toAccount: row.to_account,
    fromOwnerId: row.from_owner_id,
    toOwnerId: row.to_owner_id,
    currency: row.currency,
    limits: { perPayment: row.limit_per_payment, daily: row.limit_daily, monthly: row.limit_monthly },
    validUntil: row.valid_until,
    reference: row.reference,
    usage: {
      day: row.spent_day,
      spentToday: row.spent_today,
      countToday: 0,
      month: row.spent_month,
      spentThisMonth: row.spent_this_month,
    },
    createdAt: row.created_at,
    createdBy: originOf(row.created_by, row.created_client_id, row.created_trace_id, row.created_call_id),
    revokedAt: row.revoked_at ?? undefined,
    revokedBy:
      row.revoked_by === null
        ? undefined
        : originOf(row.revoked_by, row.revoked_client_id, row.revoked_trace_id, row.revoked_call_id),
  };
}

function originOf(
  callerId: string,
  clientId: string | null,
  traceId: string | null,
  callId: string | null,
): Origin {
  return { callerId, clientId: clientId ?? undefined, traceId: traceId ?? '', callId: callId ?? undefined };
}

/** Returns those of these mandates that exist, by id. */
export async function findMandates(
  db: Kysely<Database>,
  ids: readonly string[],
): Promise<Map<string, Mandate>> {
  const rows = await db
    .selectFrom('mandates')
    .where('id', '=', sql<string>`any(${ids}::text[])`)
    .select(COLUMNS)
    .execute();
  return new Map(rows.map((row) => [row.id, toMandate(row)]));
}

const withTimeZone = (db: Kysely<Database>) =>
  db
    .selectFrom('mandates as m')
    .innerJoin('balances as b', 'b.account_id', 'm.from_account')
    .select([...COLUMNS.map((column) => `m.${column}` as const), 'b.time_zone']);

export async function findMandate(db: Kysely<Database>, id: string): Promise<FoundMandate | undefined> {
  const row = await withTimeZone(db).where('m.id', '=', id).executeTakeFirst();
  return row && { mandate: toMandate(row), timeZone: row.time_zone };
}

/** The condition of the unique index, without a parameter: Postgres could not match it in a prepared statement. */
const HAS_REQUEST_ID = sql<boolean>`request_id <> ''`;

/** Returns the mandate that this request of this caller made. */
export async function findMandateByRequest(
  db: Kysely<Database>,
  { callerId, requestId }: { callerId: string; requestId: string },
): Promise<FoundMandate | undefined> {
  const row = await withTimeZone(db)
    .where('m.created_by', '=', callerId)
    .where('m.request_id', '=', requestId)
    .where(HAS_REQUEST_ID)
    .executeTakeFirst();
  return row && { mandate: toMandate(row), timeZone: row.time_zone };
}

/**
 * Stores a new mandate. Returns false if the caller has used the request id before. Waits for a transaction that is using it. An empty
 * request id is always unused.
 */
export async function insertMandate(
  trx: Transaction<Database>,
  mandate: MandateRecord,
  requestId: string,
): Promise<boolean> {
  const { limits, createdBy } = mandate;
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('mandates')
    .values({
      id: mandate.id,
      from_account: mandate.fromAccount,
      to_account: mandate.toAccount,
      from_owner_id: mandate.fromOwnerId,
      to_owner_id: mandate.toOwnerId,
      currency: mandate.currency,
      limit_per_payment: limits.perPayment,
      limit_daily: limits.daily,
      limit_monthly: limits.monthly,
      valid_until: mandate.validUntil,
      reference: mandate.reference,
      request_id: requestId,
      created_by: createdBy.callerId,
      created_client_id: createdBy.clientId ?? null,
      created_trace_id: createdBy.traceId,
      created_call_id: createdBy.callId ?? null,
      created_at: mandate.createdAt,
    })
    .onConflict((conflict) =>
      conflict.columns(['created_by', 'request_id']).where(HAS_REQUEST_ID).doNothing(),
    )
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/**
 * Locks the mandate until the transaction ends, and its payer's row before it, in the order of decisions. Undefined if there is no such
 * mandate.
 */
export async function lockMandate(trx: Transaction<Database>, id: string): Promise<FoundMandate | undefined> {
  const { rows } = await sql<{ account_id: string }>`
    select account_id from balances
    where account_id = (select from_account from mandates where id = ${id}) for update`.execute(trx);
  if (rows.length === 0) return undefined;
  const row = await withTimeZone(trx).where('m.id', '=', id).forUpdate('m').executeTakeFirst();
  return row && { mandate: toMandate(row), timeZone: row.time_zone };
}

/**
 * Stores the revocation. It also gives the payer's row a new version: decisions that have read the mandate before compare that version
 * and are decided again. The caller holds the locks of `lockMandate`.
 */
export async function storeRevocation(
  trx: Transaction<Database>,
  { id, fromAccount }: Mandate,
  { at, by }: { at: Date; by: Origin },
): Promise<void> {
  await trx
    .updateTable('mandates')
    .set({
      revoked_at: at,
      revoked_by: by.callerId,
      revoked_client_id: by.clientId ?? null,
      revoked_trace_id: by.traceId,
      revoked_call_id: by.callId ?? null,
    })
    .where('id', '=', id)
    .execute();
  await sql`update balances set decided_at = decided_at where account_id = ${fromAccount}`.execute(trx);
}

export interface MandateFilter {
  /** The owner of either account. Undefined: all mandates. */
  ownerId: string | undefined;
  /** Either account. */
  accountId: string | undefined;
  fromAccount: string | undefined;
  toAccount: string | undefined;
  state: MandateState | undefined;
  reference: string | undefined;
  createdAfter: Date | undefined;
  createdBefore: Date | undefined;
  /** The time of the states. */
  now: Date;
}

type Column = 'from_account' | 'to_account' | 'from_owner_id' | 'to_owner_id';

/**
 * Lists mandates newest first, starting before `before`. Each side of an owner or account has its own index. A page takes up to `limit`
 * of each and merges them.
 */
export async function listMandates(
  db: Kysely<Database>,
  filter: MandateFilter,
  { before, limit }: { before: string | undefined; limit: number },
): Promise<FoundMandate[]> {
  const walk = (side: readonly [Column, string] | undefined) => {
    let query = withTimeZone(db).where(conditionOf(filter));
    if (side !== undefined) query = query.where(`m.${side[0]}`, '=', side[1]);
    if (before !== undefined) query = query.where('m.id', '<', before);
    return query.orderBy('m.id', 'desc').limit(limit).execute();
  };
  const pages = await Promise.all(sidesOf(filter).map(walk));
  const found = new Map(pages.flat().map((row) => [row.id, row]));
  return [...found.values()]
    .sort((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, limit)
    .map((row) => ({ mandate: toMandate(row), timeZone: row.time_zone }));
}

/**
 * Returns the columns that the list is walked by, each with its value. The list of a customer walks the mandates of the customer, also
 * with an account in the filter. The account may be that of a shop with many payers.
 */
function sidesOf({ ownerId, accountId, fromAccount, toAccount }: MandateFilter) {
  if (ownerId !== undefined) return [['from_owner_id', ownerId] as const, ['to_owner_id', ownerId] as const];
  if (fromAccount !== undefined) return [['from_account', fromAccount] as const];
  if (toAccount !== undefined) return [['to_account', toAccount] as const];
  if (accountId !== undefined)
    return [['from_account', accountId] as const, ['to_account', accountId] as const];
  return [undefined];
}

function conditionOf(filter: MandateFilter) {
  const { ownerId, accountId, fromAccount, toAccount, reference, createdAfter, createdBefore } = filter;
  const conditions = [sql<boolean>`true`];
  if (ownerId !== undefined) conditions.push(sql`${ownerId} in (m.from_owner_id, m.to_owner_id)`);
  if (accountId !== undefined) conditions.push(sql`${accountId} in (m.from_account, m.to_account)`);
  if (fromAccount !== undefined) conditions.push(sql`m.from_account = ${fromAccount}`);
  if (toAccount !== undefined) conditions.push(sql`m.to_account = ${toAccount}`);
  if (reference !== undefined) conditions.push(sql`m.reference = ${reference}`);
  if (createdAfter !== undefined) conditions.push(sql`m.created_at >= ${createdAfter}`);
  if (createdBefore !== undefined) conditions.push(sql`m.created_at < ${createdBefore}`);
  if (filter.state !== undefined) conditions.push(stateCondition(filter.state, filter.now));
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

/** As `stateAt` of the domain. */
function stateCondition(state: MandateState, now: Date) {
  switch (state) {
    case 'REVOKED':
      return sql<boolean>`m.revoked_at is not null`;
    case 'ACTIVE':
      return sql<boolean>`m.revoked_at is null and m.valid_until > ${now}`;
    case 'EXPIRED':
      return sql<boolean>`m.revoked_at is null and m.valid_until <= ${now}`;
  }
}
