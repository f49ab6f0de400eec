/** An event as one reader may see it: the same as the payment and the refund by REST. */
import { Decision } from '@payflowx/proto/authorization';
import { type Event, WebhookEndpoint } from '@payflowx/proto/notification';
import { type Payment, PaymentEvent, type Refund } from '@payflowx/proto/payment';
import type { EventRow } from '../store/database.ts';

export interface Reader {
  id: string;
  /** Operators and auditors. */
  seesAll: boolean;
}

export function maySeeEvent({ id, seesAll }: Reader, event: EventRow): boolean {
  return seesAll || id === event.sender_owner_id || id === event.receiver_owner_id;
}

export function viewEvent(reader: Reader, { id, type, created_at, content, payment_id }: EventRow): Event {
  const event = {
    id,
    type,
    createdAt: created_at,
    payment: undefined,
    refund: undefined,
    webhookEndpoint: undefined,
  };
  if (payment_id === null) return { ...event, webhookEndpoint: WebhookEndpoint.decode(content) };
  const told = PaymentEvent.decode(content);
  return { ...event, payment: viewPayment(reader, told), refund: viewRefund(reader, told) };
}

/** A receiver who is not the payer sees neither the decision, which has the payer's balance, nor the payer's own notes. */
function viewPayment(reader: Reader, told: PaymentEvent): Payment | undefined {
  const { payment, fromOwnerId, requesterId } = told;
  if (!payment) return undefined;
  const clientId = reader.seesAll || reader.id === requesterId ? payment.clientId : '';
  if (!reader.seesAll && reader.id !== fromOwnerId)
    return { ...payment, clientId, reference: '', metadata: {} };
  return { ...payment, clientId, decision: viewDecision(reader, told) };
}

/** The check name that authorization uses for rules. A customer does not see the rule book. */
const RULE_CHECK = 'rule';

function viewDecision({ id, seesAll }: Reader, { decision: encoded }: PaymentEvent): Decision | undefined {
  if (encoded.length === 0) return undefined;
  const decision = Decision.decode(encoded);
  if (seesAll) return decision;
  const ifOwn = (ownerId: string) => (ownerId === id ? ownerId : '');
  return {
    ...decision,
    checks: decision.checks.filter(({ name }) => name !== RULE_CHECK),
    fromOwnerId: ifOwn(decision.fromOwnerId),
    toOwnerId: ifOwn(decision.toOwnerId),
  };
}

function viewRefund(
  { id, seesAll }: Reader,
  { refund, refundRequesterId }: PaymentEvent,
): Refund | undefined {
  if (!refund || seesAll || id === refundRequesterId) return refund;
  return { ...refund, clientId: '', reference: '', metadata: {} };
}
