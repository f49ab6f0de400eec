/** Encodes the events of a payment, once for both Kafka and RabbitMQ. */

import { type OutgoingEvent, packParcel } from '@payflowx/chassis';
import type { OutboxRow } from '@payflowx/chassis/postgres';
import { MovementKind } from '@payflowx/proto/authorization';
import { PaymentEvent, PaymentEventType, StepOrigin } from '@payflowx/proto/payment';
import type { Operation } from '../domain/operation.ts';
import { type Change, type EventType, isPayerUnknown, type Movement } from '../domain/payment.ts';
import { withoutDecision } from './payment-message.ts';
import { toRefundMessage } from './refund-message.ts';
import { ROLE_CODES } from './role-codes.ts';

/** The destination name of the Kafka topic in the outbox. */
export const EVENTS_DESTINATION = 'payment-events';
/** The destination name of the RabbitMQ queue in the outbox. */
export const NOTIFICATIONS_DESTINATION = 'payment-notifications';
export const DESTINATIONS = [EVENTS_DESTINATION, NOTIFICATIONS_DESTINATION] as const;

/** The CloudEvents source of all events. */
const SOURCE = '/payflowx/payment';

const TYPE_CODES = {
  'payment.initiated': PaymentEventType.INITIATED,
  'payment.authorized': PaymentEventType.AUTHORIZED,
  'payment.captured': PaymentEventType.CAPTURED,
  'payment.completed': PaymentEventType.COMPLETED,
  'payment.failed': PaymentEventType.FAILED,
  'payment.cancelled': PaymentEventType.CANCELLED,
  'payment.expired': PaymentEventType.EXPIRED,
  'payment.refunded': PaymentEventType.REFUNDED,
} as const satisfies Record<EventType, PaymentEventType>;

const MOVEMENT_CODES = {
  HOLD: MovementKind.HOLD,
  RELEASE: MovementKind.RELEASE,
  TRANSFER: MovementKind.TRANSFER,
} as const satisfies Record<Movement['kind'], MovementKind>;

/** The two events of a change. Consumers of the topic do not need the parts that only readers see. */
interface Announcement {
  event: OutgoingEvent;
  /** For RabbitMQ. Undefined if users are not notified of the change. */
  notice: OutgoingEvent | undefined;
}

/** Returns the outbox rows of a change: one for Kafka, and one for RabbitMQ if users are notified of it. `operation` caused the change. */
export function toOutboxRows(change: Change, id: string, operation?: Operation): OutboxRow[] {
  const { event, notice } = announce(change, id, operation);
  const rows = [{ destination: EVENTS_DESTINATION, event }];
  if (notice) rows.push({ destination: NOTIFICATIONS_DESTINATION, event: notice });
  return rows;
}

/** Encodes the events of a change as parcels with one event, for a statement that stores several parcels. */
export function toParcels(change: Change, id: string): { event: Uint8Array; notice: Uint8Array | undefined } {
  const { event, notice } = announce(change, id);
  return { event: packParcel([event]).bytes, notice: notice && packParcel([notice]).bytes };
}

function announce(change: Change, id: string, operation?: Operation): Announcement {
  const { payment, event } = change;
  const payload = PaymentEvent.encode(toEvent(change, id)).finish();
  const outgoing = {
    id,
    type: event.type,
    source: SOURCE,
    time: event.occurredAt,
    subject: payment.id,
    traceparent: event.traceparent,
    key: payment.id,
  };
  const origin = originOf(change, operation);
  const announced = { ...outgoing, payload: origin ? withOrigin(payload, origin) : payload };
  if (!isNotified(change)) return { event: announced, notice: undefined };
  return {
    event: announced,
    notice: { ...outgoing, payload: Buffer.concat([payload, snapshotOf(change, operation)]) },
  };
}

/** Appends the origin to an encoded event: concatenated messages are one message. */
function withOrigin(payload: Uint8Array, origin: StepOrigin): Uint8Array {
  return Buffer.concat([payload, PaymentEvent.encode({ ...NO_EVENT, origin }).finish()]);
}

const NO_ORIGIN: StepOrigin = StepOrigin.decode(new Uint8Array());

/** The decision about a payment has no origin of its own: it was requested with the payment. */
function originOf({ payment, event }: Change, operation: Operation | undefined): StepOrigin | undefined {
  if (operation) {
    const { id, amountMinor, takesRest, final, reason, createdAt, origin, notes } = operation;
    return {
      ...NO_ORIGIN,
      callerId: origin.callerId ?? '',
      requestId: origin.requestId ?? '',
      operationId: id,
      ...{ amountMinor, takesRest, final, reason },
      byOperator: origin.byOperator ?? false,
      clientId: origin.clientId ?? '',
      requestedAt: createdAt,
      ...notes,
    };
  }
  if (event.type !== 'payment.initiated') return undefined;
  const { createdAt, holdExpiresAt, origin } = payment;
  const holdMs = holdExpiresAt ? holdExpiresAt.getTime() - createdAt.getTime() : 0;
  return {
    ...NO_ORIGIN,
    callerId: origin.caller.id,
    requestId: origin.requestId,
    callerRoles: origin.caller.roles.map((role) => ROLE_CODES[role]),
    holdSeconds: Math.round(holdMs / 1_000),
  };
}

const NO_BYTES = Buffer.alloc(0);
/** A larger decision is left out, because the size of a decision has no bound. The payment keeps it. */
const MAX_DECISION_BYTES = 65_536;

/** The fields that only readers see, to be appended to an encoded event: concatenated messages are one message. */
function snapshotOf({ payment }: Change, operation: Operation | undefined): Uint8Array {
  const { decision = NO_BYTES, origin } = payment;
  const refund = operation?.kind === 'REFUND' ? operation : undefined;
  return PaymentEvent.encode({
    ...NO_EVENT,
    decision: decision.length <= MAX_DECISION_BYTES ? decision : NO_BYTES,
    requesterId: origin.caller.id,
    refund: refund && toRefundMessage(refund, payment),
    refundRequesterId: refund?.origin.callerId ?? '',
  }).finish();
}

/**
 * True if users are notified of the change. They are not notified of payment.initiated. A payment with an unknown payer has no
 * recipient.
 */
export function isNotified({ payment, event }: Change): boolean {
  return event.type !== 'payment.initiated' && !isPayerUnknown(payment);
}

const NO_EVENT: PaymentEvent = {
  id: '',
  type: PaymentEventType.UNSPECIFIED,
  occurredAt: undefined,
  payment: undefined,
  movements: [],
  fromOwnerId: '',
  toOwnerId: '',
  refundId: '',
  decision: NO_BYTES,
  refund: undefined,
  requesterId: '',
  refundRequesterId: '',
  origin: undefined,
};

/**
 * The decision is left out, because no consumer of the topic needs it and only the payer may see its figures. Its size also has
 * no bound. A broker would refuse a message that is too large on every attempt, and all later messages would wait behind it.
 */
function toEvent({ payment, event }: Change, id: string): PaymentEvent {
  return {
    ...NO_EVENT,
    id,
    type: TYPE_CODES[event.type],
    occurredAt: event.occurredAt,
    payment: withoutDecision(payment),
    movements: event.movements.map((movement) => ({ ...movement, kind: MOVEMENT_CODES[movement.kind] })),
    // Before the decision, the owner of the account is only a claim of the caller, so it is not published.
    fromOwnerId: (event.type !== 'payment.initiated' && payment.fromOwnerId) || '',
    toOwnerId: (event.type !== 'payment.initiated' && payment.toOwnerId) || '',
    refundId: event.refundId ?? '',
  };
}
