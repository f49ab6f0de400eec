/** What was decided, kept so that the same question gets the same answer. */
import { unnest } from '@payflowx/chassis';
import { Decision } from '@payflowx/proto/authorization';
import { sql, type Transaction } from 'kysely';
import type { StepKey } from '../domain/decision.ts';
import type { Database } from './database.ts';

/** What a step is answered, the first time and each time after it. */
export interface Answer {
  decision: Decision;
  /** Minor units that were held for the payment after the step. */
  remaining: bigint;
}

export interface KnownDecision {
  fingerprint: string;
  answer: Answer;
}

/** One key of a Map for both ids; a line break is in neither. */
export function stepKey({ paymentId, operationId }: StepKey): string {
  return `${paymentId}\n${operationId}`;
}

/** Which of these steps were decided before, and how. */
export async function findDecisions(
  trx: Transaction<Database>,
  steps: readonly StepKey[],
): Promise<Map<string, KnownDecision>> {
  const keys = unnest(
    steps.map(({ paymentId, operationId }) => ({ payment_id: paymentId, operation_id: operationId })),
    { payment_id: 'text', operation_id: 'text' },
  );
  const { rows } = await sql<{
    payment_id: string;
    operation_id: string;
    fingerprint: string;
    decision: Buffer;
    remaining: bigint;
  }>`
    select d.payment_id, d.operation_id, d.fingerprint, d.decision, d.remaining
    from ${keys} as k join decisions as d using (payment_id, operation_id)`.execute(trx);
  return new Map(
    rows.map(({ payment_id, operation_id, fingerprint, decision, remaining }) => [
      stepKey({ paymentId: payment_id, operationId: operation_id }),
      { fingerprint, answer: { decision: Decision.decode(decision), remaining } },
    ]),
  );
}
