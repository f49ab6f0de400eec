/**
 * What an event adds to the totals. Pure, and the same whenever it is asked: every event adds by itself, so the totals do not
 * depend on the order in which events arrive.
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

/** What analytics needs to know of an event of a payment. */
export interface PaymentFact {
  eventId: string;
  type: EventType;
  occurredAt: Date;
  currency: string;
  fromAccount: string;
  toAccount: string;
  /** Whether the paying account exists and was the caller's to use. */
  isPayerKnown: boolean;
  /** What this event moved from the payer to the receiver. */
  capturedMinor: bigint;
  /** What this event moved back. */
  refundedMinor: bigint;
  /** Whether the payment, as the event left it, has moved anything. */
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

/** What an event adds to an account. */
export interface AccountChange extends AccountTotals {
  /** Known once money has moved: what is declined may have asked for another currency than the account's. */
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

/** Steps that are only on the way count nothing, though they may move money. */
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

/** A hold that runs out after a part was captured ends a payment that did take place. */
function counterOf({ type, hasMoved }: PaymentFact): Counter | undefined {
  return type === 'expired' && hasMoved ? 'completedCount' : COUNTERS[type];
}

/** What the facts add to each day, by day and currency, and to each account, by id: whoever locks the rows locks them in this order. */
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

/** A payment is counted when it ends with money moved, its amounts as they move. Refunds leave what was sent and received as it was. */
function addToAccounts(totalsOf: (accountId: string) => AccountChange, fact: PaymentFact): void {
  const counter = counterOf(fact);
  // A payment from an account that is not there, or that a stranger tried to use, says nothing about that account.
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

/** completed / (completed + failed); undefined where nothing has ended. */
export function successRate({ completedCount, failedCount }: Counts): number | undefined {
  const ended = completedCount + failedCount;
  return ended === 0n ? undefined : Number(completedCount) / Number(ended);
}
