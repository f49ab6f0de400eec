/** Reads payments with all decisions that led to them, to compute their past changes again. */
import { type Kysely, sql } from 'kysely';
import type { History } from '../domain/history.ts';
import { storedDecision } from '../messages/decision-message.ts';
import type { Database } from './database.ts';
import { OPERATION_COLUMNS, type OperationRow, toOperation } from './operations.ts';
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from './payments.ts';

/** A payment whose history cannot be read, with the reason. */
export interface Unreadable {
  paymentId: string;
  reason: string;
}

type Row = PaymentRow & { initiated_event_id: string | null; decided_event_id: string | null };
type StepRow = OperationRow & { event_id: string; payment_version: bigint };

/** Returns the ids of the next payments after `afterId`, oldest first, and which of them changed at `from` or later. */
export async function nextPayments(
  db: Kysely<Database>,
  { afterId, from, limit }: { afterId: string; from: Date | undefined; limit: number },
): Promise<{ id: string; createdAt: Date; isChanged: boolean }[]> {
  const rows = await db
    .selectFrom('payments')
    .select(['id', 'created_at', 'updated_at'])
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id, created_at, updated_at }) => ({
    id,
    createdAt: created_at,
    isChanged: !from || updated_at >= from,
  }));
}

/** Returns the histories of these payments, oldest payment first. Payments that do not exist are left out. */
export async function readHistories(
  db: Kysely<Database>,
  ids: readonly string[],
): Promise<{ histories: History[]; unreadable: Unreadable[] }> {
  const payments = await db
    .selectFrom('payments')
    .select([...PAYMENT_COLUMNS, 'initiated_event_id', 'decided_event_id'])
    .where('id', 'in', [...ids, ''])
    .orderBy('id')
    .execute();
  const { rows: steps } = await sql<StepRow>`
    select ${sql.raw(OPERATION_COLUMNS.join(', '))}, event_id, payment_version from operations
    where payment_id = any(${ids}::text[]) and state = 'COMPLETED'
    order by payment_id, payment_version`.execute(db);
  const stepsOf = Map.groupBy(steps, ({ payment_id }) => payment_id);
  const histories: History[] = [];
  const unreadable: Unreadable[] = [];
  for (const row of payments) {
    try {
      histories.push(toHistory(row, stepsOf.get(row.id) ?? []));
    } catch (error) {
      unreadable.push({ paymentId: row.id, reason: String(error) });
    }
  }
  return { histories, unreadable };
}

function toHistory(row: Row, steps: readonly StepRow[]): History {
  const payment = toPayment(row);
  const isDecided = payment.state !== 'INITIATED';
  if (!row.initiated_event_id || (isDecided && !(row.decided_event_id && row.decision)))
    throw new Error('The ids of its events were not stored by the version of that time.');
  return {
    payment,
    initiatedEventId: row.initiated_event_id,
    decision: isDecided ? storedDecision(row.decision as Buffer, row.decided_event_id as string) : undefined,
    operations: steps
      // Steps that were stored after the payment was read.
      .filter(({ payment_version }) => payment_version <= payment.version)
      .map((step) => ({
        operation: toOperation(step),
        decision: storedDecision(step.decision ?? Buffer.of(), step.event_id),
      })),
  };
}
