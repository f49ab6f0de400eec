/**
 * Consumes the topic payment-events: turns each event into a journal transaction. Events that cannot be posted are refused with
 * the reason.
 */
import type { KafkaHandlers } from '@payflowx/chassis/kafka';
import { MovementKind } from '@payflowx/proto/authorization';
import { PaymentEvent, PaymentEventType } from '@payflowx/proto/payment';
import type { Kysely } from 'kysely';
import { recordTransactions } from '../app/record-transactions.ts';
import { EventRefused } from '../domain/errors.ts';
import {
  type JournalTransaction,
  type Posting,
  type PostingKind,
  transactionIdOf,
} from '../domain/journal.ts';
import type { Database } from '../store/database.ts';

/** The Kafka handlers of the topic; a replay uses the same. Events without movements add nothing to the journal. */
export function paymentEvents(deps: { db: Kysely<Database> }): KafkaHandlers<JournalTransaction | undefined> {
  return {
    decode: ({ payload }) => decodePaymentEvent(payload),
    apply: (decoded) =>
      recordTransactions(
        deps,
        decoded.filter((transaction) => transaction !== undefined),
      ),
  };
}

const EVENT_TYPES: Record<number, string> = {
  [PaymentEventType.INITIATED]: 'payment.initiated',
  [PaymentEventType.AUTHORIZED]: 'payment.authorized',
  [PaymentEventType.CAPTURED]: 'payment.captured',
  [PaymentEventType.COMPLETED]: 'payment.completed',
  [PaymentEventType.FAILED]: 'payment.failed',
  [PaymentEventType.CANCELLED]: 'payment.cancelled',
  [PaymentEventType.EXPIRED]: 'payment.expired',
  [PaymentEventType.REFUNDED]: 'payment.refunded',
};

const POSTING_KINDS: Record<number, PostingKind> = {
  [MovementKind.HOLD]: 'hold',
  [MovementKind.RELEASE]: 'release',
  [MovementKind.TRANSFER]: 'transfer',
};

/** The documented limit: "At most 9,007,199,254,740,991 everywhere." */
const MAX_AMOUNT = BigInt(Number.MAX_SAFE_INTEGER);

/** Returns the transaction of an event; undefined if the event moved no money. Throws EventRefused if it cannot be posted. */
export function decodePaymentEvent(payload: Buffer): JournalTransaction | undefined {
  const event = parse(payload);
  const id = transactionIdOf(event.id);
  if (id === undefined) throw new EventRefused(`"${event.id}" is not the id of an event.`);
  const eventType = EVENT_TYPES[event.type];
  if (eventType === undefined) throw new EventRefused(`${event.id} has the unknown type ${event.type}.`);
  if (event.movements.length === 0) return undefined;

  const { payment, occurredAt } = event;
  if (!payment || payment.id === '') throw new EventRefused(`${event.id} names no payment.`);
  if (!/^[A-Z]{3}$/.test(payment.currency)) throw new EventRefused(`${event.id} has no currency.`);
  if (!occurredAt || Number.isNaN(occurredAt.getTime())) throw new EventRefused(`${event.id} has no time.`);
  const postings = event.movements.map((movement, number) =>
    toPosting(event.id, number, movement, payment.currency),
  );
  return { id, eventType, paymentId: payment.id, createdAt: occurredAt, postings };
}

function parse(payload: Buffer): PaymentEvent {
  try {
    return PaymentEvent.decode(payload);
  } catch (error) {
    throw new EventRefused('The payload is not a PaymentEvent.', { cause: error });
  }
}

/** A release reverses its hold: the same two accounts, with debit and credit exchanged. */
function toPosting(
  eventId: string,
  number: number,
  movement: PaymentEvent['movements'][number],
  currency: string,
): Posting {
  const { fromAccount, toAccount, amountMinor } = movement;
  const kind = POSTING_KINDS[movement.kind];
  const where = `${eventId}, movement ${number}:`;
  if (kind === undefined) throw new EventRefused(`${where} unknown kind ${movement.kind}.`);
  if (fromAccount === '' || toAccount === '') throw new EventRefused(`${where} an account is missing.`);
  if (fromAccount === toAccount) throw new EventRefused(`${where} both accounts are the same.`);
  if (amountMinor < 1n || amountMinor > MAX_AMOUNT) {
    throw new EventRefused(`${where} the amount ${amountMinor} is out of range.`);
  }
  const [debitAccount, creditAccount] =
    kind === 'release' ? [toAccount, fromAccount] : [fromAccount, toAccount];
  return { number, kind, debitAccount, creditAccount, amountMinor, currency };
}
