/** Reads payments and operations with the decisions that authorization made about them. */
import { type Kysely, sql } from 'kysely';
import type { Operation } from '../domain/operation.ts';
import type { Decision, Payment } from '../domain/payment.ts';
import { storedDecision } from '../messages/decision-message.ts';
import type { Database } from './database.ts';
import { OPERATION_COLUMNS, type OperationRow, toOperation } from './operations.ts';
import { PAYMENT_COLUMNS, toPayment } from './payments.ts';

export interface DecidedPayment {
  payment: Payment;
  decision: Decision;
  /** With an outcome, approved or declined. */
  operations: (Operation & { decision: Uint8Array })[];
}

/** Returns those of these payments that are decided, with their decided operations. */
export async function readDecided(db: Kysely<Database>, ids: readonly string[]): Promise<DecidedPayment[]> {
  const payments = await db
    .selectFrom('payments')
    .select([...PAYMENT_COLUMNS, 'decided_event_id'])
    .where('id', 'in', [...ids, ''])
    .where('decision', 'is not', null)
    .execute();
  const { rows } = await sql<OperationRow>`
    select ${sql.raw(OPERATION_COLUMNS.join(', '))} from operations
    where payment_id = any(${ids}::text[]) and decision is not null`.execute(db);
  const operations = Map.groupBy(rows, ({ payment_id }) => payment_id);
  return payments.map((row) => ({
    payment: toPayment(row),
    decision: storedDecision(row.decision ?? Buffer.of(), row.decided_event_id ?? ''),
    operations: (operations.get(row.id) ?? []).map((operation) => ({
      ...toOperation(operation),
      decision: operation.decision ?? Buffer.of(),
    })),
  }));
}
