/** The double-entry journal. Pure: no clock, no database, no network. */

/** The kind of a posting. A hold and its release belong to the pending layer, a transfer to the posted layer. */
export type PostingKind = 'hold' | 'release' | 'transfer';
export type Layer = 'pending' | 'posted';
export type Direction = 'debit' | 'credit';

/** One amount that leaves one account and enters another, so every posting is balanced. */
export interface Posting {
  /** Its index in the transaction, from 0. */
  number: number;
  kind: PostingKind;
  debitAccount: string;
  creditAccount: string;
  /** Greater than 0. */
  amountMinor: bigint;
  /** ISO 4217. */
  currency: string;
}

/** The postings of one event. */
export interface JournalTransaction {
  /** `txn_` and the UUID of the event. */
  id: string;
  /** For example `payment.completed`. */
  eventType: string;
  paymentId: string;
  /** The time of the event. */
  createdAt: Date;
  postings: Posting[];
}

/** One side of a posting, from the view of its account. */
export interface Entry {
  transactionId: string;
  number: number;
  direction: Direction;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  layer: Layer;
  paymentId: string;
  createdAt: Date;
}

const EVENT_ID = /^evt_(?<uuid>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Returns the id of the event's transaction; undefined if the text is not an event id. */
export function transactionIdOf(eventId: string): string | undefined {
  const uuid = EVENT_ID.exec(eventId)?.groups?.uuid;
  return uuid && `txn_${uuid}`;
}

export function eventIdOf(transactionId: string): string {
  return transactionId.replace(/^txn_/, 'evt_');
}

export function entryIdOf({ transactionId, number, direction }: Entry): string {
  return `${transactionId}:${number}:${direction}`;
}

export function layerOf(kind: PostingKind): Layer {
  return kind === 'transfer' ? 'posted' : 'pending';
}

/** Both sides of every posting, debits first. */
export function entriesOf({ id, paymentId, createdAt, postings }: JournalTransaction): Entry[] {
  return postings.flatMap(({ number, kind, debitAccount, creditAccount, amountMinor, currency }) => {
    const shared = {
      transactionId: id,
      number,
      amountMinor,
      currency,
      layer: layerOf(kind),
      paymentId,
      createdAt,
    };
    return [
      { ...shared, direction: 'debit' as const, accountId: debitAccount },
      { ...shared, direction: 'credit' as const, accountId: creditAccount },
    ];
  });
}

/** The whole transaction as one text: equal texts mean equal transactions. Postings must be sorted by number. */
export function canonicalText({ id, eventType, paymentId, createdAt, postings }: JournalTransaction): string {
  return JSON.stringify([
    id,
    eventType,
    paymentId,
    createdAt.toISOString(),
    postings.map((posting) => [
      posting.number,
      posting.kind,
      posting.debitAccount,
      posting.creditAccount,
      posting.amountMinor.toString(),
      posting.currency,
    ]),
  ]);
}
