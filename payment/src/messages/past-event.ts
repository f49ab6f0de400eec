/** Reads events of the topic back, to restore what payment stored before it announced them. */
import type { RoleName } from '@payflowx/chassis';
import type { TopicMessage } from '@payflowx/chassis/kafka';
import {
  PaymentEvent,
  PaymentEventType,
  type Payment as PaymentMessage,
  type StepOrigin,
} from '@payflowx/proto/payment';
import type { Operation, OperationKind } from '../domain/operation.ts';
import type { Order } from '../domain/order.ts';
import { type Change, initiate } from '../domain/payment.ts';
import { CAPTURE_MODE_CODES, KIND_CODES } from './payment-message.ts';
import { roleNames } from './role-codes.ts';

/** The start of a payment, with the order that its caller sent. */
export interface PastStart {
  eventId: string;
  change: Change;
  order: Order;
}

export interface PastEvent {
  paymentId: string;
  /** Of the payment after the event. */
  version: bigint;
  start?: PastStart;
  /** The operation as it was accepted, without an outcome. */
  operation?: Operation;
  /** The owners of the payment's accounts, by authorization. Undefined if external or unknown. */
  owners: { from: string | undefined; to: string | undefined };
  /** True if an earlier version published the event, without its origin. */
  isIncomplete: boolean;
}

/** `defaultHoldMs` is the length of a hold whose caller named none. */
export function decodePastEvent(
  { payload, headers }: Pick<TopicMessage, 'payload' | 'headers'>,
  defaultHoldMs: number,
): PastEvent {
  const { id, type, payment, origin, fromOwnerId, toOwnerId } = PaymentEvent.decode(payload);
  if (!payment?.createdAt) throw new Error('The event has no payment.');
  const traceparent = headers.traceparent ?? '';
  const owners = { from: fromOwnerId || undefined, to: toOwnerId || undefined };
  const about = { paymentId: payment.id, version: payment.version, owners, isIncomplete: false };
  const isStart = type === PaymentEventType.INITIATED;
  // The decision about a payment is no operation.
  if (!origin) return { ...about, isIncomplete: isStart || payment.version > 2n };
  if (!isStart) return { ...about, operation: toOperation(payment, origin, traceparent) };
  return { ...about, start: toStart(id, payment, origin, { traceparent, defaultHoldMs }) };
}

function toStart(
  eventId: string,
  payment: PaymentMessage,
  { callerId, callerRoles, requestId, holdSeconds }: StepOrigin,
  { traceparent, defaultHoldMs }: { traceparent: string; defaultHoldMs: number },
): PastStart {
  const order: Order = {
    kind: keyOf(KIND_CODES, payment.kind),
    fromAccount: payment.fromAccount,
    toAccount: payment.toAccount,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    captureMode: keyOf(CAPTURE_MODE_CODES, payment.captureMode),
    captureBy: payment.captureBy === 0 ? 'PAYER' : 'PAYEE',
    description: payment.description,
    reference: payment.reference,
    metadata: payment.metadata,
    mandateId: payment.mandateId || undefined,
    holdSeconds: holdSeconds * 1_000 === defaultHoldMs ? 0 : holdSeconds,
  };
  const caller = {
    id: callerId,
    roles: roleNames(callerRoles) as RoleName[],
    clientId: payment.clientId || undefined,
  };
  const origin = { caller, requestId, traceparent };
  const now = payment.createdAt as Date;
  return { eventId, order, change: initiate(order, { id: payment.id, origin, now, holdMs: defaultHoldMs }) };
}

const KINDS = {
  cap: 'CAPTURE',
  can: 'CANCEL',
  exp: 'EXPIRE',
  ref: 'REFUND',
} as const satisfies Record<string, OperationKind>;

function toOperation(payment: PaymentMessage, origin: StepOrigin, traceparent: string): Operation {
  const { operationId: id, requestedAt = new Date(0) } = origin;
  const kind = KINDS[id.slice(0, 3) as keyof typeof KINDS];
  if (!kind) throw new Error(`"${id}" is not the id of an operation.`);
  return {
    id,
    paymentId: payment.id,
    kind,
    state: 'PENDING',
    amountMinor: origin.amountMinor,
    takesRest: origin.takesRest,
    final: origin.final,
    reason: origin.reason,
    notes: { reference: origin.reference, metadata: origin.metadata },
    failure: undefined,
    decision: undefined,
    origin: {
      callerId: origin.callerId || undefined,
      clientId: origin.clientId || undefined,
      byOperator: origin.byOperator,
      requestId: origin.requestId || undefined,
      traceparent,
    },
    attempts: 0,
    createdAt: requestedAt,
    updatedAt: requestedAt,
  };
}

function keyOf<K extends string, V>(codes: Record<K, V>, code: unknown): K {
  const found = (Object.entries(codes) as [K, V][]).find(([, value]) => value === code);
  if (!found) throw new Error(`The event has the unknown code ${code}.`);
  return found[0];
}
