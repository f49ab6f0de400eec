/** Reads decided payments for backtests of rules. */
import { type Kysely, sql } from 'kysely';
import type { Basis } from '../domain/decision-context.ts';
import type { Database } from './database.ts';
import { decodeFacts, type FactsRecord } from './facts-record.ts';

/** The last row of a page. */
export interface DecidedPosition {
  readonly decidedAt: Date;
  readonly paymentId: string;
  readonly operationId: string;
}

export interface DecidedPayment extends DecidedPosition, Basis {
  readonly approved: boolean;
}

interface Page {
  /** Includes payments decided at this time or later. */
  from: Date;
  /** Excludes payments decided at this time or later. */
  to: Date;
  /** Starts after this row. Undefined: starts with the newest. */
  after: DecidedPosition | undefined;
  limit: number;
}

/** Newest first. */
export async function listDecidedPayments(
  db: Kysely<Database>,
  { from, to, after, limit }: Page,
): Promise<DecidedPayment[]> {
  // A single upper bound: with two, Postgres starts at the first and reads on to the second, on every page.
  const query = db
    .selectFrom('decisions')
    .where('facts', 'is not', null)
    .where('decided_at', '>=', from)
    .where(after === undefined ? sql<boolean>`decided_at < ${to}` : isBefore(after))
    .select(['payment_id', 'operation_id', 'outcome', 'facts', 'decided_at']);
  const rows = await query
    .orderBy('decided_at', 'desc')
    .orderBy('payment_id', 'desc')
    .orderBy('operation_id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ payment_id: paymentId, operation_id: operationId, decided_at: decidedAt, ...row }) => ({
    paymentId,
    operationId,
    decidedAt,
    approved: row.outcome === 'APPROVED',
    ...decodeFacts(row.facts as FactsRecord, { id: paymentId, now: decidedAt }),
  }));
}

function isBefore({ decidedAt, paymentId, operationId }: DecidedPosition) {
  return sql<boolean>`(decided_at, payment_id, operation_id) < (${decidedAt}, ${paymentId}, ${operationId})`;
}
