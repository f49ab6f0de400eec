/**
 * Bounds the state of a shared account during a request. Clients run concurrently, so the order in which the platform executed
 * their requests is unknown. But each was executed between its request and its response, which bounds every possible order.
 */

export interface Span {
  from: number;
  to: number;
}

interface Effect extends Span {
  /** Changes of the available balance. */
  amount: number;
}

interface Write<T> extends Span {
  value: T;
}

export interface AccountHistory {
  effects: Effect[];
  active: Write<boolean>[];
  /** Changes of `limits.per_payment`; null: none. */
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

/** The demand of a request on the giving and the taking account; either may be external. */
export interface Asked extends Span {
  giver: AccountHistory | undefined;
  taker: AccountHistory | undefined;
  /** The amount that the giver must have available. Undefined if the money is held already. */
  needs: number | undefined;
  /** True for payments and withdrawals, which limits apply to. */
  limited: boolean;
}

/** True if some order of all concurrent requests allows this response: the code of a decline, or undefined for an approval. */
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

/** External accounts are always active. */
function couldBe(writes: Write<boolean>[] = [], span: Span): (value: boolean) => boolean {
  const values = writes.length === 0 ? [true] : valuesOf(writes, span);
  return (value) => values.includes(value);
}

/**
 * The minimum and maximum that may have been available at some time of the span. The request's own amount is deducted from the
 * minimum only. An approval is checked against the maximum.
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

/**
 * All values that a register may have had in the span. A write is excluded if another one lies wholly between it and the span.
 */
function valuesOf<T>(writes: readonly Write<T>[], span: Span): T[] {
  const begun = writes.filter(({ from }) => from <= span.to);
  const isOver = (write: Write<T>) =>
    begun.some((later) => later !== write && later.from > write.to && later.to < span.from);
  return begun.filter((write) => !isOver(write)).map(({ value }) => value);
}
