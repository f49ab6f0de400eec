/** Reads the steps of a payment. The first two come from the payment's own row, the others from its operations. */
import type { Kysely } from 'kysely';
import { eventTypeOf } from '../domain/operation.ts';
import { decidedStep, type EventType, type Payment, type PaymentState } from '../domain/payment.ts';
import type { Database, PaymentsTable } from './database.ts';
import { PAYMENT_COLUMNS, toPayment } from './payments.ts';

export interface PaymentStep {
  /** Empty for the first steps of a payment from before event ids were stored. */
  eventId: string;
  type: EventType;
  /** The state of the payment after the step. */
  state: PaymentState;
  /** The stored decision, as authorization encoded it. */
  decision: Uint8Array | undefined;
  refundId: string | undefined;
  /** Undefined for an expiry. */
  actorId: string | undefined;
  /** The API client that acted for the actor. */
  clientId: string | undefined;
  traceparent: string;
  occurredAt: Date;
}

/** Returns the payment and its steps, oldest first. */
export async function findSteps(
  db: Kysely<Database>,
  paymentId: string,
): Promise<{ payment: Payment; steps: PaymentStep[] }> {
  const row = await db
    .selectFrom('payments')
    .select([...PAYMENT_COLUMNS, 'initiated_event_id', 'decided_event_id', 'decided_at'])
    .where('id', '=', paymentId)
    .executeTakeFirstOrThrow();
  const payment = toPayment(row);
  return { payment, steps: [...firstSteps(payment, row), ...(await laterSteps(db, paymentId))] };
}

type Announcements = Pick<PaymentsTable, 'initiated_event_id' | 'decided_event_id' | 'decided_at'>;

function firstSteps(payment: Payment, row: Announcements): PaymentStep[] {
  const { caller, traceparent } = payment.origin;
  const common = { refundId: undefined, actorId: caller.id, clientId: caller.clientId, traceparent };
  const initiated: PaymentStep = {
    ...common,
    eventId: row.initiated_event_id ?? '',
    type: 'payment.initiated',
    state: 'INITIATED',
    decision: undefined,
    occurredAt: payment.createdAt,
  };
  if (payment.state === 'INITIATED') return [initiated];
  const decided: PaymentStep = {
    ...common,
    ...decidedStep(payment),
    eventId: row.decided_event_id ?? '',
    decision: payment.decision,
    occurredAt: row.decided_at ?? payment.updatedAt,
  };
  return [initiated, decided];
}

async function laterSteps(db: Kysely<Database>, paymentId: string): Promise<PaymentStep[]> {
  const rows = await db
    .selectFrom('operations')
    .select(['id', 'kind', 'event_id', 'payment_state', 'decision', 'caller_id', 'client_id', 'traceparent'])
    .select('updated_at')
    .where('payment_id', '=', paymentId)
    .where('state', '=', 'COMPLETED')
    .orderBy('payment_version')
    .execute();
  return rows.flatMap((row) => {
    if (row.event_id === null || row.payment_state === null) return [];
    return {
      eventId: row.event_id,
      type: eventTypeOf(row.kind, row.payment_state),
      state: row.payment_state,
      decision: row.decision ?? undefined,
      refundId: row.kind === 'REFUND' ? row.id : undefined,
      actorId: row.caller_id ?? undefined,
      clientId: row.client_id ?? undefined,
      traceparent: row.traceparent,
      occurredAt: row.updated_at,
    };
  });
}
