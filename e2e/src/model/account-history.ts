/**
 * What may have been true of a shared account at some moment of a request. Clients run side by side, so nobody knows the order in
 * which the platform did things; but each was done between its request and its answer, and that bounds what any order allows.
 */

export interface Span {
  from: number;
  to: number;
}

interface Effect extends Span {
  /** On what is available. */
  amount: number;
}

interface Write<T> extends Span {
  value: T;
}

export interface AccountHistory {
  effects: Effect[];
  active: Write<boolean>[];
  /** Of `limits.per_payment`; null: none. */
  limit: Write<number | null>[];
}

export function newHistory(opening: number): AccountHistory {
  const ever = { from: 0, to: 0 };
  return {
    effects: [{ ...ever, amount: opening }],
    active: [{ ...ever, value: true }],
    limit: [{ ...ever, value: null }],
  };
}

/** What somebody asked of an account that gives, and of one that takes; either may be the world outside. */
export interface Asked extends Span {
  giver: AccountHistory | undefined;
  taker: AccountHistory | undefined;
  /** How much must be available at the giver; undefined where the money is held already. */
  needs: number | undefined;
  /** Whether limits apply: to payments and withdrawals they do. */
  limited: boolean;
}

/** Whether some order of all that went on allows this answer: a decline's code, or undefined where it was approved. */
export function isPlausible(asked: Asked, decline: string | undefined): boolean {
  const giverActive = couldBe(asked.giver?.active, asked);
  const takerActive = couldBe(asked.taker?.active, asked);
  const limits = asked.limited ? valuesOf(asked.giver?.limit ?? [], asked) : [];
  const { needs = 0 } = asked;
  const withinLimit = limits.length === 0 || limits.some((limit) => limit === null || needs <= limit);
  const range = asked.giver ? availableAt(asked.giver, asked) : { least: 0, most: Number.MAX_SAFE_INTEGER };
  const mayGive = asked.needs === undefined || giverActive(true);
  switch (decline) {
    case undefined:
      return mayGive && takerActive(true) && withinLimit && range.most >= needs;
    case 'FROM_ACCOUNT_NOT_ACTIVE':
      return giverActive(false);
    case 'TO_ACCOUNT_NOT_ACTIVE':
      return mayGive && takerActive(false);
    case 'PER_PAYMENT_LIMIT_EXCEEDED':
      return mayGive && takerActive(true) && limits.some((limit) => limit !== null && needs > limit);
    case 'INSUFFICIENT_BALANCE':
      return mayGive && takerActive(true) && withinLimit && range.least < needs;
    default:
      return false;
  }
}

/** Accounts outside are always active. */
function couldBe(writes: Write<boolean>[] = [], span: Span): (value: boolean) => boolean {
  const values = writes.length === 0 ? [true] : valuesOf(writes, span);
  return (value) => values.includes(value);
}

/**
 * The least and the most that may have been available at some moment of the span. What a request took itself is no bound to it:
 * it counts for the least only, and what was approved is held against the most.
 */
function availableAt({ effects }: AccountHistory, asked: Span) {
  let [least, most] = [0, 0];
  for (const { from, to, amount } of effects) {
    if (from > asked.to) continue;
    const certain = to < asked.from;
    if (certain || amount < 0) least += amount;
    if (certain || amount > 0) most += amount;
  }
  return { least, most };
}

/** All that a register may have held in the span: a write is out if another came wholly between it and the span. */
function valuesOf<T>(writes: readonly Write<T>[], span: Span): T[] {
  const begun = writes.filter(({ from }) => from <= span.to);
  const isOver = (write: Write<T>) =>
    begun.some((later) => later !== write && later.from > write.to && later.to < span.from);
  return begun.filter((write) => !isOver(write)).map(({ value }) => value);
}
