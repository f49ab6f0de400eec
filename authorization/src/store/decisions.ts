/** What was decided, kept so that the same question gets the same answer. */
import { unnest } from '@payflowx/chassis';
import { Decision } from '@payflowx/proto/authorization';
import { sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';

/** What names one step of one payment. */
export interface StepKey {
  paymentId: string;
  operationId: string;
}

/** One key of a Map for both ids; a line break is in neither. */
export function stepKey({ paymentId, operationId }: StepKey): string {
  return `${paymentId}\n${operationId}`;
}

/** Which of these steps were decided before, and how. */
export async function findDecisions(
  trx: Transaction<Database>,
  steps: readonly StepKey[],
): Promise<Map<string, { fingerprint: string; decision: Decision }>> {
  const keys = unnest(
    steps.map(({ paymentId, operationId }) => ({ payment_id: paymentId, operation_id: operationId })),
    { payment_id: 'text', operation_id: 'text' },
  );
  const { rows } = await sql<{
    payment_id: string;
    operation_id: string;
    fingerprint: string;
    decision: Buffer;
  }>`
    select d.payment_id, d.operation_id, d.fingerprint, d.decision
    from ${keys} as k join decisions as d using (payment_id, operation_id)`.execute(trx);
  return new Map(
    rows.map(({ payment_id, operation_id, fingerprint, decision }) => [
      stepKey({ paymentId: payment_id, operationId: operation_id }),
      { fingerprint, decision: Decision.decode(decision) },
    ]),
  );
}
