/** What a payment must pass, in order. The first check that fails declines it. Pure. */
import { type Account, available } from './account.ts';
import type { DeclineCode, LimitUse, PaymentRequest } from './decision.ts';
import { endOfDay, endOfMonth, type Usage } from './usage.ts';

/** A payment between two accounts that were found and may be named to the caller. */
export interface Question {
  readonly request: PaymentRequest;
  readonly from: Account;
  readonly to: Account;
  /** What the payer has used of its limits in the current windows. */
  readonly usage: Usage;
}

export interface Finding {
  readonly name: string;
  /** Figures of the payer only: a payer learns nothing about the receiver beyond the code. */
  readonly inputs: Record<string, string>;
  /** Undefined: passed. */
  readonly decline: DeclineCode | undefined;
  readonly limit?: LimitUse;
}

/** Undefined where there is nothing to check: an account without that limit. */
type PaymentCheck = (question: Question) => Finding | undefined;

const fromState: PaymentCheck = ({ from }) => ({
  name: 'from_state',
  inputs: { state: from.state },
  decline: from.state === 'ACTIVE' ? undefined : 'FROM_ACCOUNT_NOT_ACTIVE',
});

const toState: PaymentCheck = ({ to }) => ({
  name: 'to_state',
  inputs: {},
  decline: to.state === 'ACTIVE' ? undefined : 'TO_ACCOUNT_NOT_ACTIVE',
});

const currency: PaymentCheck = ({ request, from, to }) => ({
  name: 'currency',
  inputs: { payment: request.currency, from_account: from.currency },
  decline:
    request.currency === from.currency && request.currency === to.currency ? undefined : 'CURRENCY_MISMATCH',
});

const perPayment: PaymentCheck = ({ request, from }) => {
  const limit = from.limits.perPayment;
  if (limit === null) return undefined;
  return againstLimit('limit.per_payment', 'PER_PAYMENT_LIMIT_EXCEEDED', request.amount, {
    limit,
    used: 0n,
    resetsAt: undefined,
  });
};

const daily: PaymentCheck = ({ request, from, usage }) => {
  const limit = from.limits.daily;
  if (limit === null) return undefined;
  const resetsAt = endOfDay(usage.day);
  return againstLimit('limit.daily', 'DAILY_LIMIT_EXCEEDED', request.amount, {
    limit,
    used: usage.spentToday,
    resetsAt,
  });
};

const monthly: PaymentCheck = ({ request, from, usage }) => {
  const limit = from.limits.monthly;
  if (limit === null) return undefined;
  const resetsAt = endOfMonth(usage.month);
  return againstLimit('limit.monthly', 'MONTHLY_LIMIT_EXCEEDED', request.amount, {
    limit,
    used: usage.spentThisMonth,
    resetsAt,
  });
};

const dailyCount: PaymentCheck = ({ from, usage }) => {
  const limit = from.limits.dailyCount;
  if (limit === null) return undefined;
  return againstLimit('limit.daily_count', 'DAILY_COUNT_EXCEEDED', 1n, {
    limit: BigInt(limit),
    used: BigInt(usage.countToday),
    resetsAt: endOfDay(usage.day),
  });
};

const balance: PaymentCheck = ({ request, from }) => ({
  name: 'balance',
  inputs: { amount: `${request.amount}`, posted: `${from.posted}`, held: `${from.held}` },
  decline: available(from) >= request.amount ? undefined : 'INSUFFICIENT_BALANCE',
});

export const PAYMENT_CHECKS: readonly PaymentCheck[] = [
  fromState,
  toState,
  currency,
  perPayment,
  daily,
  monthly,
  dailyCount,
  balance,
];

function againstLimit(name: string, code: DeclineCode, wanted: bigint, use: LimitUse): Finding {
  const inputs = { wanted: `${wanted}`, used: `${use.used}`, limit: `${use.limit}` };
  if (use.used + wanted <= use.limit) return { name, inputs, decline: undefined };
  return { name, inputs, decline: code, limit: use };
}
