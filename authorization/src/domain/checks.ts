/** What steps must pass, in order. The first check that fails declines. Pure. */
import { type Account, available } from './account.ts';
import { endOfDay, endOfMonth } from './calendar.ts';
import type { Check, DeclineCode, LimitUse } from './decision.ts';
import type { PaymentRequest } from './step-request.ts';
import type { Usage } from './usage.ts';

export interface Finding {
  readonly name: string;
  /** Figures of whoever gives the money only: a payer learns nothing about the receiver beyond the code. */
  readonly inputs: Record<string, string>;
  /** Undefined: passed. */
  readonly decline: DeclineCode | undefined;
  readonly message?: string;
  readonly limit?: LimitUse;
}

/** Looks at one thing. Undefined where there is nothing to look at: an account without that limit. */
export type CheckOf<Q> = (question: Q) => Finding | undefined;

/** A declined check with the code that it declines with. */
export type Refusal = Finding & { readonly decline: DeclineCode };

/** Makes the checks in order, up to the first that declines. */
export function runChecks<Q>(
  checks: readonly CheckOf<Q>[],
  question: Q,
): { checks: Check[]; refusal: Refusal | undefined } {
  const made: Check[] = [];
  for (const check of checks) {
    const finding = check(question);
    if (finding === undefined) continue;
    const { name, inputs, decline } = finding;
    made.push({ name, passed: decline === undefined, inputs });
    if (decline !== undefined) return { checks: made, refusal: { ...finding, decline } };
  }
  return { checks: made, refusal: undefined };
}

/** Money between two accounts that were found and may be named to the caller. */
interface Transfer {
  readonly request: { readonly amount: bigint; readonly currency: string };
  readonly from: Account;
  readonly to: Account;
}

/** A payment, which also uses limits. */
interface Payment extends Transfer {
  readonly request: PaymentRequest;
  /** What the payer has used of its limits in the current windows. */
  readonly usage: Usage;
}

const fromState: CheckOf<Pick<Transfer, 'from'>> = ({ from }) => ({
  name: 'from_state',
  inputs: { state: from.state },
  decline: from.state === 'ACTIVE' ? undefined : 'FROM_ACCOUNT_NOT_ACTIVE',
});

export const toState: CheckOf<Pick<Transfer, 'to'>> = ({ to }) => ({
  name: 'to_state',
  inputs: {},
  decline: to.state === 'ACTIVE' ? undefined : 'TO_ACCOUNT_NOT_ACTIVE',
});

const currency: CheckOf<Transfer> = ({ request, from, to }) => ({
  name: 'currency',
  inputs: { payment: request.currency, from_account: from.currency },
  decline:
    request.currency === from.currency && request.currency === to.currency ? undefined : 'CURRENCY_MISMATCH',
});

const perPayment: CheckOf<Payment> = ({ request, from }) => {
  const limit = from.limits.perPayment;
  if (limit === null) return undefined;
  return againstLimit('limit.per_payment', 'PER_PAYMENT_LIMIT_EXCEEDED', request.amount, {
    limit,
    used: 0n,
    resetsAt: () => undefined,
  });
};

const daily: CheckOf<Payment> = ({ request, from, usage }) => {
  const limit = from.limits.daily;
  if (limit === null) return undefined;
  return againstLimit('limit.daily', 'DAILY_LIMIT_EXCEEDED', request.amount, {
    limit,
    used: usage.spentToday,
    resetsAt: () => endOfDay(usage.day, from.timeZone),
  });
};

const monthly: CheckOf<Payment> = ({ request, from, usage }) => {
  const limit = from.limits.monthly;
  if (limit === null) return undefined;
  return againstLimit('limit.monthly', 'MONTHLY_LIMIT_EXCEEDED', request.amount, {
    limit,
    used: usage.spentThisMonth,
    resetsAt: () => endOfMonth(usage.month, from.timeZone),
  });
};

const dailyCount: CheckOf<Payment> = ({ from, usage }) => {
  const limit = from.limits.dailyCount;
  if (limit === null) return undefined;
  return againstLimit('limit.daily_count', 'DAILY_COUNT_EXCEEDED', 1n, {
    limit: BigInt(limit),
    used: BigInt(usage.countToday),
    resetsAt: () => endOfDay(usage.day, from.timeZone),
  });
};

const balance: CheckOf<Transfer> = ({ request, from }) => ({
  name: 'balance',
  inputs: { amount: `${request.amount}`, posted: `${from.posted}`, held: `${from.held}` },
  decline: available(from) >= request.amount ? undefined : 'INSUFFICIENT_BALANCE',
});

/** Of a payment. */
export const PAYMENT_CHECKS: readonly CheckOf<Payment>[] = [
  fromState,
  toState,
  currency,
  perPayment,
  daily,
  monthly,
  dailyCount,
  balance,
];

/** Of money that goes back: the limits bound payments, and a refund is none. */
export const REFUND_CHECKS: readonly CheckOf<Transfer>[] = [fromState, toState, currency, balance];

interface AskedLimit {
  readonly limit: bigint;
  readonly used: bigint;
  /** Asked only where it is told: finding midnight in a zone takes a while. */
  resetsAt(): Date | undefined;
}

function againstLimit(
  name: string,
  code: DeclineCode,
  wanted: bigint,
  { limit, used, resetsAt }: AskedLimit,
): Finding {
  const inputs = { wanted: `${wanted}`, used: `${used}`, limit: `${limit}` };
  if (used + wanted <= limit) return { name, inputs, decline: undefined };
  return { name, inputs, decline: code, limit: { limit, used, resetsAt: resetsAt() } };
}
