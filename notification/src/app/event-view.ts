/** An event as one reader may see it: the same as the payment and the refund by REST. */
import { Decision } from '@payflowx/proto/authorization';
import { DECLINES, type DeclineCode } from '@payflowx/proto/declines';
import { type Event, WebhookEndpoint } from '@payflowx/proto/notification';
import { type Failure, type Payment, PaymentEvent, type Refund } from '@payflowx/proto/payment';
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

/**
 * A receiver who is not the payer sees neither the decision, which has the payer's balance, nor the payer's own notes. If it collected by a
 * mandate, the notes are its own, and it sees what the decision says about the mandate.
 */
function viewPayment(reader: Reader, told: PaymentEvent): Payment | undefined {
  const { payment, fromOwnerId, requesterId } = told;
  if (!payment) return undefined;
  const { reference, metadata, mandateId, failure } = payment;
  const seen = { ...payment, clientId: reader.seesAll || reader.id === requesterId ? payment.clientId : '' };
  const isCollected = mandateId !== '';
  if (!reader.seesAll && reader.id !== fromOwnerId) {
    if (!isCollected) return { ...seen, ...NO_NOTES };
    return { ...seen, failure: failure && payeesFailure(failure), decision: payeesDecision(reader, told) };
  }
  const decision = viewDecision(reader, told);
  if (!isCollected) return { ...seen, decision };
  const payeeNotes = reader.seesAll ? { reference, metadata } : undefined;
  return { ...seen, ...NO_NOTES, payeeNotes, decision };
}

const NO_NOTES = { reference: '', metadata: {} };

/** The text of a rule is for the payer. */
function payeesFailure({ code, message }: Failure): Failure {
  const isOwnText = code.startsWith(OF_MANDATE) || !Object.hasOwn(DECLINES, code);
  return { code, message: isOwnText ? message : DECLINES[code as DeclineCode].message };
}

/** The codes of declines by a mandate begin with this; the names of its checks with the same in lower case. */
const OF_MANDATE = 'MANDATE_';
const MANDATE_CHECK = 'mandate';

function payeesDecision(reader: Reader, told: PaymentEvent): Decision | undefined {
  const decision = viewDecision(reader, told);
  if (!decision) return undefined;
  const { code, limit, message, checks } = decision;
  return {
    ...decision,
    message: payeesFailure({ code, message }).message,
    limit: code.startsWith(OF_MANDATE) ? limit : undefined,
    checks: checks.filter(({ name }) => name.startsWith(MANDATE_CHECK)),
  };
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
