/** The checks of a payment that is collected by a mandate. They come before those of the payer's account. Pure. */
import type { Account } from './account.ts';
import { endOfDay, endOfMonth } from './calendar.ts';
import { againstLimit, type CheckOf, type Finding, type LimitToCheck } from './checks.ts';
import { type Mandate, stateAt } from './mandate.ts';
import { shown, type Usage } from './usage.ts';

export interface Collection {
  readonly request: { readonly amount: bigint };
  readonly from: Account;
  readonly mandate: Mandate;
  /** The use of the mandate in the current windows. */
  readonly mandateUsage: Usage;
  readonly now: Date;
}

const NOT_ACTIVE = {
  ACTIVE: undefined,
  REVOKED: 'The mandate was revoked.',
  EXPIRED: 'The mandate has expired.',
} as const;

const isActive: CheckOf<Collection> = ({ mandate, now }) => {
  const state = stateAt(mandate, now);
  const finding = { name: 'mandate_state', inputs: { mandate: mandate.id, state } };
  const message = NOT_ACTIVE[state];
  return message === undefined
    ? { ...finding, decline: undefined }
    : { ...finding, decline: 'MANDATE_NOT_ACTIVE', message };
};

const perPayment: CheckOf<Collection> = ({ request, mandate }) =>
  within('mandate.per_payment', request.amount, mandate.limits.perPayment, {
    used: 0n,
    resetsAt: () => undefined,
  });

const daily: CheckOf<Collection> = ({ request, mandate, mandateUsage, from }) =>
  within('mandate.daily', request.amount, mandate.limits.daily, {
    used: shown(mandateUsage.spentToday),
    resetsAt: () => endOfDay(mandateUsage.day, from.timeZone),
  });

const monthly: CheckOf<Collection> = ({ request, mandate, mandateUsage, from }) =>
  within('mandate.monthly', request.amount, mandate.limits.monthly, {
    used: shown(mandateUsage.spentThisMonth),
    resetsAt: () => endOfMonth(mandateUsage.month, from.timeZone),
  });

const MESSAGES = {
  'mandate.per_payment': 'The amount is above the limit for one payment by this mandate.',
  'mandate.daily': 'The amount is above what is left of the daily limit of this mandate.',
  'mandate.monthly': 'The amount is above what is left of the monthly limit of this mandate.',
} as const;

function within(
  name: keyof typeof MESSAGES,
  amount: bigint,
  limit: bigint | null,
  use: Omit<LimitToCheck, 'limit'>,
): Finding | undefined {
  if (limit === null) return undefined;
  const finding = againstLimit(name, 'MANDATE_LIMIT_EXCEEDED', amount, { limit, ...use });
  return finding.decline === undefined ? finding : { ...finding, message: MESSAGES[name] };
}

export const MANDATE_CHECKS: readonly CheckOf<Collection>[] = [isActive, perPayment, daily, monthly];
