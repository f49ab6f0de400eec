/** Reads stored decisions, so that a retry gets the first decision again. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql } from 'kysely';
import type { StepKey } from '../domain/step-request.ts';
import { type DecisionMessage, decodeDecision } from '../messages/decision-message.ts';
import type { Database } from './database.ts';

/** The response to a step, the same for every retry. */
export interface Answer {
  decision: DecisionMessage;
  /** Minor units held for the payment after the step. */
  remaining: bigint;
  /** From this moment the same step is decided again. Undefined: the decision is final. */
  retryAt?: Date | undefined;
}

export interface KnownDecision {
  fingerprint: string;
  answer: Answer;
}

/** One Map key for both ids; neither contains a line break. */
export function stepKey({ paymentId, operationId }: StepKey): string {
  return `${paymentId}\n${operationId}`;
}

export interface Known {
  /** The steps that were decided before. */
  decisions: Map<string, KnownDecision>;
  /** The version of the current ruleset. */
  rulesetVersion: bigint;
}

/** Returns the decisions of those steps that were decided before, and the current version of the ruleset. */
export async function findKnown(db: Kysely<Database>, steps: readonly StepKey[]): Promise<Known> {
  const keys = unnest(
    steps.map(({ paymentId, operationId }) => ({ payment_id: paymentId, operation_id: operationId })),
    { payment_id: 'text', operation_id: 'text' },
  );
  // Both in one statement: the version needs no round trip of its own, and is returned even without decisions.
  const { rows } = await sql<{ ruleset: bigint } & (DecisionRow | Record<keyof DecisionRow, null>)>`
    select s.version as ruleset, d.*
    from ruleset as s left join (
      select d.payment_id, d.operation_id, d.fingerprint, d.decision, d.remaining
      from ${keys} as k join decisions as d using (payment_id, operation_id)
    ) as d on true`.execute(db);
  const [first] = rows;
  if (first === undefined) throw new Error('The ruleset has no version.');
  const decisions = new Map<string, KnownDecision>();
  for (const { ruleset, ...row } of rows) {
    if (row.payment_id === null) continue;
    const key = stepKey({ paymentId: row.payment_id, operationId: row.operation_id });
    const answer = { decision: decodeDecision(row.decision), remaining: row.remaining };
    decisions.set(key, { fingerprint: row.fingerprint, answer });
  }
  return { decisions, rulesetVersion: first.ruleset };
}

interface DecisionRow {
  payment_id: string;
  operation_id: string;
  fingerprint: string;
  decision: Buffer;
  remaining: bigint;
}
