/** Decides the recipients and texts of the notices of a step. Pure: no clock, no store. */

import type { Language } from '@payflowx/proto/vocabulary';
import type { EventType, NotifiedEvent } from './events.ts';
import { formatMoney } from './money.ts';
import { type Text, WORDINGS, type Wordings } from './wordings.ts';

export type Side = 'sender' | 'receiver';

/** A step of a payment, translated from its event. Amounts are minor units. */
export interface PaymentStep {
  eventId: string;
  type: EventType;
  occurredAt: Date;
  paymentId: string;
  /** The version of the payment after this step: the number of its events. */
  version: bigint;
  /** The requested, held, captured, released or refunded amount of this step, depending on the type. */
  amountMinor: bigint;
  /** The amount that this step moved from the payer to the receiver, or back. */
  movedMinor: bigint;
  /** The amount captured by this step and all before it. */
  capturedMinor: bigint;
  /** The part of the held money that this step released without moving it. The payer can spend it again. */
  freedMinor: bigint;
  currency: string;
  /** The reason of a decline. Both are empty unless the payment failed. */
  failure: { code: string; message: string };
  /** True if the payee collected it by a mandate. The texts of the payment are then the payee's. */
  isCollected: boolean;
  /** The text of the side that made the payment, for both sides. */
  description: string;
  /** The own text of the side that made the payment. */
  reference: string;
  sender: Party;
  receiver: Party;
  /** The event as it was delivered, for the event log. */
  content: Buffer;
  /** The trace of the request that caused the step. Empty or undefined if it is not recorded. */
  traceparent?: string;
}

/** One side of a payment. An external account has no user to notify, so its owner id is empty. */
export interface Party {
  accountId: string;
  ownerId: string;
}

export interface Notice extends Text {
  eventId: string;
  side: Side;
  recipientId: string;
  accountId: string;
  paymentId: string;
  eventType: NotifiedEvent;
  language: Language;
  amountMinor: bigint;
  currency: string;
  createdAt: Date;
  description: string;
  /** True if the other side wrote the description. */
  isForeignText: boolean;
  /** Empty for the side that did not make the payment. */
  reference: string;
}

/** Undefined if the side gets no notice: receivers are not notified of a declined attempt, unless it was their own, by a mandate. */
function textFor(side: Side, type: NotifiedEvent, step: PaymentStep, language: Language): Text | undefined {
  const wordings = WORDINGS[language];
  const amount = formatMoney(step.amountMinor, step.currency, language);
  switch (type) {
    case 'payment.failed':
      return declinedText(side, amount, step, wordings);
    case 'payment.completed':
      return side === 'sender'
        ? withFreed(completedText('sent', amount, step, language), step, language)
        : completedText('received', amount, step, language);
    default:
      return wordings[side][type](amount);
  }
}

function declinedText(
  side: Side,
  amount: string,
  { isCollected, failure }: PaymentStep,
  wordings: Wordings,
): Text | undefined {
  if (!isCollected)
    return side === 'sender' ? wordings.declined(amount, wordings.reason(failure)) : undefined;
  return side === 'sender'
    ? wordings.collectionDeclined.sender(amount, wordings.reason(failure))
    : wordings.collectionDeclined.receiver(amount, wordings.payeesReason(failure));
}

function completedText(
  course: keyof Pick<Wordings, 'sent' | 'received'>,
  amount: string,
  { movedMinor, capturedMinor, currency }: PaymentStep,
  language: Language,
): Text {
  const wordings = WORDINGS[language][course];
  const total = formatMoney(capturedMinor, currency, language);
  if (movedMinor === 0n) return wordings.released(total);
  return movedMinor < capturedMinor ? wordings.lastPart(amount, total) : wordings.whole(amount);
}

function withFreed({ title, body }: Text, { freedMinor, currency }: PaymentStep, language: Language): Text {
  if (freedMinor === 0n) return { title, body };
  return { title, body: `${body} ${WORDINGS[language].freed(formatMoney(freedMinor, currency, language))}` };
}

/** Returns the notices of one step: at most one for each side, in the language of its recipient. */
export function noticesOf(step: PaymentStep, languageOf: (userId: string) => Language): Notice[] {
  const { type } = step;
  const maker = step.isCollected ? 'receiver' : 'sender';
  if (type === 'payment.initiated') return [];
  return (['sender', 'receiver'] as const).flatMap((side) => {
    const { ownerId, accountId } = step[side];
    if (ownerId === '') return [];
    const language = languageOf(ownerId);
    const text = textFor(side, type, step, language);
    if (!text) return [];
    return {
      eventId: step.eventId,
      side,
      recipientId: ownerId,
      accountId,
      paymentId: step.paymentId,
      eventType: type,
      language,
      ...text,
      amountMinor: step.amountMinor,
      currency: step.currency,
      createdAt: step.occurredAt,
      description: step.description,
      isForeignText: side !== maker,
      reference: side === maker ? step.reference : '',
    };
  });
}
