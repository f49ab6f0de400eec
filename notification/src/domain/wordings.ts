/** The texts of notices, by language. The types demand the same texts in every language. */

import { DECLINES, type DeclineCode } from '@payflowx/proto/declines';
import type { Language } from '@payflowx/proto/vocabulary';
import type { NotifiedEvent } from './events.ts';

export interface Text {
  title: string;
  body: string;
}

/** A text about one amount. */
type Wording = (amount: string) => Text;

/** The texts of a payment that completes: at once, with the last part of several, or because the rest was released. */
interface CompletedWordings {
  whole: Wording;
  lastPart(amount: string, total: string): Text;
  released(total: string): Text;
}

export interface Wordings {
  sender: Record<Exclude<NotifiedEvent, 'payment.completed' | 'payment.failed'>, Wording>;
  receiver: Record<Exclude<NotifiedEvent, 'payment.completed' | 'payment.failed'>, Wording>;
  sent: CompletedWordings;
  received: CompletedWordings;
  declined(amount: string, reason: string): Text;
  /** The payee tried to collect by a mandate. */
  collectionDeclined: Record<'sender' | 'receiver', (amount: string, reason: string) => Text>;
  /** A sentence that is added if part of the held money is free again. */
  freed(amount: string): string;
  /** Returns the reason of a decline as a sentence. Empty if there is none in this language. */
  reason(failure: { code: string; message: string }): string;
  /** The same for the payee of a collection, to whom the payer's account is another one's. */
  payeesReason(failure: { code: string }): string;
}

const ENGLISH: Wordings = {
  sender: {
    'payment.authorized': (amount) => ({
      title: 'Payment authorized',
      body: `${amount} is reserved for your payment.`,
    }),
    'payment.captured': (amount) => ({
      title: 'Part of a payment sent',
      body: `${amount} of your payment was sent.`,
    }),
    'payment.cancelled': (amount) => ({ title: 'Payment cancelled', body: `${amount} is available again.` }),
    'payment.expired': (amount) => ({ title: 'Payment expired', body: `${amount} is available again.` }),
    'payment.refunded': (amount) => ({ title: 'Refund received', body: `You were refunded ${amount}.` }),
  },
  receiver: {
    'payment.authorized': (amount) => ({
      title: 'Payment authorized',
      body: `${amount} is reserved for you.`,
    }),
    'payment.captured': (amount) => ({
      title: 'Part of a payment received',
      body: `You received ${amount}.`,
    }),
    'payment.cancelled': (amount) => ({
      title: 'Payment cancelled',
      body: `A payment of ${amount} to you was cancelled.`,
    }),
    'payment.expired': (amount) => ({
      title: 'Payment expired',
      body: `A payment of ${amount} to you has expired.`,
    }),
    'payment.refunded': (amount) => ({ title: 'Refund sent', body: `You refunded ${amount}.` }),
  },
  sent: {
    whole: (amount) => ({ title: 'Payment sent', body: `Your payment of ${amount} was sent.` }),
    lastPart: (amount, total) => ({
      title: 'Payment sent',
      body: `The last ${amount} of your payment was sent, ${total} in all.`,
    }),
    released: (total) => ({
      title: 'Payment completed',
      body: `${total} of your payment was sent in all.`,
    }),
  },
  received: {
    whole: (amount) => ({ title: 'Payment received', body: `You received ${amount}.` }),
    lastPart: (amount, total) => ({
      title: 'Payment received',
      body: `You received the last ${amount} of a payment, ${total} in all.`,
    }),
    released: (total) => ({ title: 'Payment completed', body: `You received ${total} in all.` }),
  },
  declined: (amount, reason) => ({
    title: 'Payment declined',
    body: `Your payment of ${amount} was declined. ${reason}`.trim(),
  }),
  collectionDeclined: {
    sender: (amount, reason) => ({
      title: 'Collection declined',
      body: `A payee tried to collect ${amount} by your mandate. It was declined. ${reason}`.trim(),
    }),
    receiver: (amount, reason) => ({
      title: 'Collection declined',
      body: `Your collection of ${amount} was declined. ${reason}`.trim(),
    }),
  },
  freed: (amount) => `${amount} is available again.`,
  reason: ({ message }) => message,
  // The message of the failure may be the text of a rule, which is for the payer.
  payeesReason: ({ code }) => (Object.hasOwn(DECLINES, code) ? DECLINES[code as DeclineCode].message : ''),
};

/** Payment's decline codes. The message of an unknown code is English, so it is left out. */
const GERMAN_REASONS: Record<string, string> = {
  TO_ACCOUNT_NOT_FOUND: 'Das Konto des Empfängers gibt es nicht.',
  FROM_ACCOUNT_NOT_FOUND: 'Das Konto gibt es nicht.',
  FROM_ACCOUNT_NOT_ACTIVE: 'Ihr Konto ist nicht aktiv.',
  TO_ACCOUNT_NOT_ACTIVE: 'Das Konto des Empfängers ist nicht aktiv.',
  FROM_ACCOUNT_CLOSED: 'Ihr Konto ist geschlossen.',
  TO_ACCOUNT_CLOSED: 'Das Konto des Empfängers ist geschlossen.',
  CURRENCY_MISMATCH: 'Die Währungen der Konten sind verschieden.',
  INSUFFICIENT_BALANCE: 'Das Guthaben reicht nicht aus.',
  PER_PAYMENT_LIMIT_EXCEEDED: 'Der Betrag übersteigt das Limit für eine Zahlung.',
  DAILY_LIMIT_EXCEEDED: 'Das Tageslimit ist überschritten.',
  MONTHLY_LIMIT_EXCEEDED: 'Das Monatslimit ist überschritten.',
  DAILY_COUNT_EXCEEDED: 'Die Zahl der Zahlungen an diesem Tag ist erreicht.',
  RULE_DECLINED: 'Eine Regel lässt diese Zahlung nicht zu.',
  MANDATE_NOT_ACTIVE: 'Das Mandat ist widerrufen oder abgelaufen.',
  MANDATE_LIMIT_EXCEEDED: 'Der Betrag übersteigt ein Limit des Mandats.',
};

/** Texts for the payee of a collection that differ. */
const GERMAN_REASONS_OF_PAYEE: Record<string, string> = {
  FROM_ACCOUNT_NOT_ACTIVE: 'Das Konto des Zahlers ist nicht aktiv.',
  FROM_ACCOUNT_CLOSED: 'Das Konto des Zahlers ist geschlossen.',
  TO_ACCOUNT_NOT_ACTIVE: 'Ihr Konto ist nicht aktiv.',
  TO_ACCOUNT_CLOSED: 'Ihr Konto ist geschlossen.',
};

const GERMAN: Wordings = {
  sender: {
    'payment.authorized': (amount) => ({
      title: 'Zahlung genehmigt',
      body: `${amount} sind für Ihre Zahlung reserviert.`,
    }),
    'payment.captured': (amount) => ({
      title: 'Teil einer Zahlung gesendet',
      body: `${amount} Ihrer Zahlung wurden gesendet.`,
    }),
    'payment.cancelled': (amount) => ({
      title: 'Zahlung storniert',
      body: `${amount} sind wieder verfügbar.`,
    }),
    'payment.expired': (amount) => ({
      title: 'Zahlung verfallen',
      body: `${amount} sind wieder verfügbar.`,
    }),
    'payment.refunded': (amount) => ({
      title: 'Rückzahlung erhalten',
      body: `Ihnen wurden ${amount} zurückgezahlt.`,
    }),
  },
  receiver: {
    'payment.authorized': (amount) => ({
      title: 'Zahlung genehmigt',
      body: `${amount} sind für Sie reserviert.`,
    }),
    'payment.captured': (amount) => ({
      title: 'Teil einer Zahlung erhalten',
      body: `Sie haben ${amount} erhalten.`,
    }),
    'payment.cancelled': (amount) => ({
      title: 'Zahlung storniert',
      body: `Eine Zahlung von ${amount} an Sie wurde storniert.`,
    }),
    'payment.expired': (amount) => ({
      title: 'Zahlung verfallen',
      body: `Eine Zahlung von ${amount} an Sie ist verfallen.`,
    }),
    'payment.refunded': (amount) => ({
      title: 'Rückzahlung gesendet',
      body: `Sie haben ${amount} zurückgezahlt.`,
    }),
  },
  sent: {
    whole: (amount) => ({ title: 'Zahlung gesendet', body: `Ihre Zahlung von ${amount} wurde gesendet.` }),
    lastPart: (amount, total) => ({
      title: 'Zahlung gesendet',
      body: `Die letzten ${amount} Ihrer Zahlung wurden gesendet, insgesamt ${total}.`,
    }),
    released: (total) => ({
      title: 'Zahlung abgeschlossen',
      body: `Von Ihrer Zahlung wurden insgesamt ${total} gesendet.`,
    }),
  },
  received: {
    whole: (amount) => ({ title: 'Zahlung erhalten', body: `Sie haben ${amount} erhalten.` }),
    lastPart: (amount, total) => ({
      title: 'Zahlung erhalten',
      body: `Sie haben die letzten ${amount} einer Zahlung erhalten, insgesamt ${total}.`,
    }),
    released: (total) => ({ title: 'Zahlung abgeschlossen', body: `Sie haben insgesamt ${total} erhalten.` }),
  },
  declined: (amount, reason) => ({
    title: 'Zahlung abgelehnt',
    body: `Ihre Zahlung von ${amount} wurde abgelehnt. ${reason}`.trim(),
  }),
  collectionDeclined: {
    sender: (amount, reason) => ({
      title: 'Einzug abgelehnt',
      body: `Ein Empfänger wollte mit Ihrem Mandat ${amount} einziehen. Das wurde abgelehnt. ${reason}`.trim(),
    }),
    receiver: (amount, reason) => ({
      title: 'Einzug abgelehnt',
      body: `Ihr Einzug von ${amount} wurde abgelehnt. ${reason}`.trim(),
    }),
  },
  freed: (amount) => `${amount} sind wieder verfügbar.`,
  reason: ({ code }) => GERMAN_REASONS[code] ?? '',
  payeesReason: ({ code }) => GERMAN_REASONS_OF_PAYEE[code] ?? GERMAN_REASONS[code] ?? '',
};

export const WORDINGS: Record<Language, Wordings> = { en: ENGLISH, de: GERMAN };
