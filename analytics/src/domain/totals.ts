/**
 * Computes the amounts that an event adds to the totals. Pure and deterministic. Every event adds by itself, so the totals do not
 * depend on the order of the events.
 */
import { dayOf } from './day.ts';

export type EventType =
  | 'initiated'
  | 'authorized'
  | 'captured'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'expired'
  | 'refunded';

/** The fields of a payment event that analytics counts. */
export interface PaymentFact {
  eventId: string;
  type: EventType;
  occurredAt: Date;
  currency: string;
  fromAccount: string;
  toAccount: string;
  /** True if the paying account exists and the caller was allowed to pay from it. */
  isPayerKnown: boolean;
  /** The amount that this event moved from the payer to the receiver. */
  capturedMinor: bigint;
  /** The amount that this event moved back. */
  refundedMinor: bigint;
  /** True if the payment has moved any money, this event included. */
  hasMoved: boolean;
}

export interface Counts {
  initiatedCount: bigint;
  completedCount: bigint;
  failedCount: bigint;
  cancelledCount: bigint;
  expiredCount: bigint;
  refundCount: bigint;
  capturedMinor: bigint;
  refundedMinor: bigint;
}

export interface DailyTotals extends Counts {
  /** YYYY-MM-DD, UTC. */
  day: string;
  currency: string;
  latestEventAt: Date;
}

/** The amounts and counts that an event adds to an account. */
export interface AccountChange extends AccountTotals {
  /** Known once money has moved. A declined payment may be in another currency than the account's. */
  currency: string | undefined;
}

export interface AccountTotals {
  accountId: string;
  sentCount: bigint;
  sentMinor: bigint;
  receivedCount: bigint;
  receivedMinor: bigint;
  failedCount: bigint;
}

type Counter = Exclude<keyof Counts, 'capturedMinor' | 'refundedMinor'>;

/** Intermediate steps count nothing, though they may move money. */
const COUNTERS: Record<EventType, Counter | undefined> = {
  initiated: 'initiatedCount',
  authorized: undefined,
  captured: undefined,
  completed: 'completedCount',
  failed: 'failedCount',
  cancelled: 'cancelledCount',
  expired: 'expiredCount',
  refunded: 'refundCount',
};

/** If a hold runs out after a part was captured, the payment counts as completed. */
function counterOf({ type, hasMoved }: PaymentFact): Counter | undefined {
  return type === 'expired' && hasMoved ? 'completedCount' : COUNTERS[type];
}

/** The sums of the facts, sorted: per day and currency, and per account by id. Rows are locked in this order. */
export function sumUp(facts: Iterable<PaymentFact>): { days: DailyTotals[]; accounts: AccountChange[] } {
  const days = new Map<string, DailyTotals>();
  const accounts = new Map<string, AccountChange>();
  for (const fact of facts) {
    addToDay(
      obtain(days, `${dayOf(fact.occurredAt)} ${fact.currency}`, () => emptyDay(fact)),
      fact,
    );
    addToAccounts(
      (id) => obtain(accounts, id, () => ({ ...NO_ACCOUNT_TOTALS, accountId: id, currency: undefined })),
      fact,
    );
  }
  return { days: sortedByKey(days), accounts: sortedByKey(accounts) };
}

function addToDay(day: DailyTotals, fact: PaymentFact): void {
  const counter = counterOf(fact);
  if (counter !== undefined) day[counter] += 1n;
  day.capturedMinor += fact.capturedMinor;
  day.refundedMinor += fact.refundedMinor;
  if (fact.occurredAt > day.latestEventAt) day.latestEventAt = fact.occurredAt;
}

/**
 * A payment is counted when it ends with money moved; its amounts are counted when they move. Refunds do not change the amounts
 * sent and received.
 */
function addToAccounts(totalsOf: (accountId: string) => AccountChange, fact: PaymentFact): void {
  const counter = counterOf(fact);
  // A payment from a missing account, or by a caller who may not pay from it, says nothing about the account.
  if (counter === 'failedCount' && fact.isPayerKnown) totalsOf(fact.fromAccount).failedCount += 1n;
  const count = counter === 'completedCount' ? 1n : 0n;
  if (count === 0n && fact.capturedMinor === 0n) return;
  const sender = totalsOf(fact.fromAccount);
  sender.sentCount += count;
  sender.sentMinor += fact.capturedMinor;
  const receiver = totalsOf(fact.toAccount);
  if (fact.capturedMinor > 0n) sender.currency = receiver.currency = fact.currency;
  receiver.receivedCount += count;
  receiver.receivedMinor += fact.capturedMinor;
}

function obtain<T>(all: Map<string, T>, key: string, make: () => T): T {
  const known = all.get(key);
  if (known !== undefined) return known;
  const made = make();
  all.set(key, made);
  return made;
}

function sortedByKey<T>(all: Map<string, T>): T[] {
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

const NO_COUNTS: Counts = {
  initiatedCount: 0n,
  completedCount: 0n,
  failedCount: 0n,
  cancelledCount: 0n,
  expiredCount: 0n,
  refundCount: 0n,
  capturedMinor: 0n,
  refundedMinor: 0n,
};

function emptyDay({ occurredAt, currency }: PaymentFact): DailyTotals {
  return { ...NO_COUNTS, day: dayOf(occurredAt), currency, latestEventAt: occurredAt };
}

export const NO_ACCOUNT_TOTALS: Omit<AccountTotals, 'accountId'> = {
  sentCount: 0n,
  sentMinor: 0n,
  receivedCount: 0n,
  receivedMinor: 0n,
  failedCount: 0n,
};

/** completed / (completed + failed). Undefined if nothing has ended. */
export function successRate({ completedCount, failedCount }: Counts): number | undefined {
  const ended = completedCount + failedCount;
  return ended === 0n ? undefined : Number(completedCount) / Number(ended);
}
