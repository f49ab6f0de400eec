/** Reads and writes the reports of reconciliations, and takes the lock that lets one run at a time. */
import { int64Of } from '@payflowx/chassis';
import { inTransaction, unnest } from '@payflowx/chassis/postgres';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Difference } from '../domain/reconciliation.ts';
import type { DifferenceRow, ReconciliationDatabase, ReconciliationRow } from './database.ts';

export interface ReportSummary {
  id: string;
  /** A user's id. Empty for a scheduled run. */
  requestedBy: string;
  startedAt: Date;
  finishedAt: Date;
  accountCount: number;
  differenceCount: number;
  unsettledCount: number;
}

export interface Report extends ReportSummary {
  /** The first ones; `differenceCount` counts all. */
  differences: Difference[];
}

/**
 * Runs `work` while no other instance does. Returns undefined if another instance holds the lock. One connection holds the lock
 * until `work` is done: an instance that is killed loses the connection, and with it the lock.
 */
export function holdingReconciliationLock<T>(
  db: Kysely<ReconciliationDatabase>,
  work: () => Promise<T>,
): Promise<T | undefined> {
  return db.connection().execute(async (connection) => {
    const { rows } = await sql<{ held: boolean }>`
      select pg_try_advisory_lock(hashtext('reconciliation')) as held`.execute(connection);
    if (!rows[0]?.held) return undefined;
    try {
      return await work();
    } finally {
      await sql`select pg_advisory_unlock(hashtext('reconciliation'))`.execute(connection);
    }
  });
}

export async function insertReport(
  db: Kysely<ReconciliationDatabase>,
  { differences, ...summary }: Report,
): Promise<void> {
  const row: ReconciliationRow = {
    id: summary.id,
    requested_by: summary.requestedBy,
    started_at: summary.startedAt,
    finished_at: summary.finishedAt,
    account_count: BigInt(summary.accountCount),
    difference_count: BigInt(summary.differenceCount),
    unsettled_count: BigInt(summary.unsettledCount),
  };
  const rows = differences.map((difference, number) => toDifferenceRow(summary.id, number, difference));
  await inTransaction(db, async (trx) => {
    await trx.insertInto('reconciliations').values(row).execute();
    if (rows.length === 0) return;
    await sql`
      insert into reconciliation_differences (
        reconciliation_id, number, account_id, currency, figure, expected_by, expected, found_by, found,
        expected_sum, found_sum
      )
      select reconciliation_id, number, account_id, currency, figure, expected_by, expected, found_by, found,
        expected_sum::numeric, found_sum::numeric
      from ${unnest(rows, DIFFERENCE_TYPES)} as r`.execute(trx);
  });
}

const DIFFERENCE_TYPES = {
  reconciliation_id: 'text',
  number: 'int2',
  account_id: 'text',
  currency: 'text',
  figure: 'text',
  expected_by: 'text',
  expected: 'int8',
  found_by: 'text',
  found: 'int8',
  expected_sum: 'text',
  found_sum: 'text',
} as const;

function toDifferenceRow(reconciliationId: string, number: number, difference: Difference): DifferenceRow {
  return {
    reconciliation_id: reconciliationId,
    number,
    account_id: difference.accountId,
    currency: difference.currency,
    figure: difference.figure,
    expected_by: difference.expectedBy,
    expected: int64Of(difference.expected),
    found_by: difference.foundBy,
    found: int64Of(difference.found),
    expected_sum: difference.expected.toString(),
    found_sum: difference.found.toString(),
  };
}

const COLUMNS = [
  'id',
  'requested_by',
  'started_at',
  'finished_at',
  'account_count',
  'difference_count',
  'unsettled_count',
] as const satisfies readonly (keyof ReconciliationRow)[];

/** Newest first, because ids are UUIDv7. Undefined `beforeId` starts at the newest. */
export async function listReports(
  db: Kysely<ReconciliationDatabase>,
  beforeId: string | undefined,
  limit: number,
): Promise<ReportSummary[]> {
  const rows = await db
    .selectFrom('reconciliations')
    .select(COLUMNS)
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId as string))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toSummary);
}

export async function findReport(
  db: Kysely<ReconciliationDatabase>,
  id: string,
): Promise<Report | undefined> {
  const row = await db.selectFrom('reconciliations').select(COLUMNS).where('id', '=', id).executeTakeFirst();
  if (!row) return undefined;
  const differences = await db
    .selectFrom('reconciliation_differences')
    .select([
      'account_id',
      'currency',
      'figure',
      'expected_by',
      'expected',
      'found_by',
      'found',
      'expected_sum',
      'found_sum',
    ])
    .where('reconciliation_id', '=', id)
    .orderBy('number')
    .execute();
  return { ...toSummary(row), differences: differences.map(toDifference) };
}

function toSummary(row: Selectable<ReconciliationRow>): ReportSummary {
  return {
    id: row.id,
    requestedBy: row.requested_by,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    accountCount: Number(row.account_count),
    differenceCount: Number(row.difference_count),
    unsettledCount: Number(row.unsettled_count),
  };
}

function toDifference(row: Omit<DifferenceRow, 'reconciliation_id' | 'number'>): Difference {
  return {
    accountId: row.account_id,
    currency: row.currency,
    figure: row.figure,
    expectedBy: row.expected_by,
    expected: BigInt(row.expected_sum ?? row.expected),
    foundBy: row.found_by,
    found: BigInt(row.found_sum ?? row.found),
  };
}
