/** The checks of a step, in order. The first check that fails declines the step. Pure. */
import { type Account, type AccountState, available } from './account.ts';
import { endOfDay, endOfMonth } from './calendar.ts';
import type { Check, DeclineCode, LimitUse } from './decision.ts';
import type { PaymentRequest } from './step-request.ts';
import { shown, type Usage } from './usage.ts';

export interface Finding {
  readonly name: string;
  /** Figures of the payer's account only. A payer learns nothing about the receiver except the code. */
  readonly inputs: Record<string, string>;
  /** Undefined: passed. */
  readonly decline: DeclineCode | undefined;
  readonly message?: string;
  readonly limit?: LimitUse;
}

/** One check. Undefined if it does not apply, for example an account without that limit. */
export type CheckOf<Q> = (question: Q) => Finding | undefined;

/** A failed check with its decline code. */
export type Refusal = Finding & { readonly decline: DeclineCode };

/** Runs the checks in order, up to the first that declines. */
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

/** A transfer between two accounts that exist and that the caller may see. */
interface Transfer {
  readonly request: { readonly amount: bigint; readonly currency: string };
  readonly from: Account;
  readonly to: Account;
}

/** A payment. It also uses limits. */
interface Payment extends Transfer {
  readonly request: PaymentRequest;
  /** The payer's use of its limits in the current windows. */
  readonly usage: Usage;
}

/** A frozen account may become active again. A closed one never does, so its payer learns that a retry is in vain. */
const STATE_DECLINES = {
  ACTIVE: { from: undefined, to: undefined },
  FROZEN: { from: 'FROM_ACCOUNT_NOT_ACTIVE', to: 'TO_ACCOUNT_NOT_ACTIVE' },
  CLOSED: { from: 'FROM_ACCOUNT_CLOSED', to: 'TO_ACCOUNT_CLOSED' },
} as const satisfies Record<AccountState, Record<'from' | 'to', DeclineCode | undefined>>;

const fromState: CheckOf<Pick<Transfer, 'from'>> = ({ from }) => ({
  name: 'from_state',
  inputs: { state: from.state },
  decline: STATE_DECLINES[from.state].from,
});

export const toState: CheckOf<Pick<Transfer, 'to'>> = ({ to }) => ({
  name: 'to_state',
  inputs: {},
  decline: STATE_DECLINES[to.state].to,
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
    used: shown(usage.spentToday),
    resetsAt: () => endOfDay(usage.day, from.timeZone),
  });
};

const monthly: CheckOf<Payment> = ({ request, from, usage }) => {
  const limit = from.limits.monthly;
  if (limit === null) return undefined;
  return againstLimit('limit.monthly', 'MONTHLY_LIMIT_EXCEEDED', request.amount, {
    limit,
    used: shown(usage.spentThisMonth),
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

/** The checks of a payment. */
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

/** The checks of a refund. Limits apply to payments only. */
export const REFUND_CHECKS: readonly CheckOf<Transfer>[] = [fromState, toState, currency, balance];

export interface LimitToCheck {
  readonly limit: bigint;
  readonly used: bigint;
  /** Called only for a decline: finding midnight in a zone is slow. */
  resetsAt(): Date | undefined;
}

export function againstLimit(
  name: string,
  code: DeclineCode,
  wanted: bigint,
  { limit, used, resetsAt }: LimitToCheck,
): Finding {
  const inputs = { wanted: `${wanted}`, used: `${used}`, limit: `${limit}` };
  if (used + wanted <= limit) return { name, inputs, decline: undefined };
  return { name, inputs, decline: code, limit: { limit, used, resetsAt: resetsAt() } };
}
