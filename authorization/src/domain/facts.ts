/** The variables of a rule, by the names used in its expression. Pure. Amounts and counts are integers. */
import type { Account } from './account.ts';
import type { PaymentRequest } from './step-request.ts';
import { shown, type Usage } from './usage.ts';

export interface AccountFacts {
  readonly id: string;
  /** Empty for the external account, which has no owner. */
  readonly owner: string;
  readonly currency: string;
  readonly state: string;
  readonly posted: bigint;
  readonly held: bigint;
  readonly available: bigint;
  /** Whole days since it was opened. */
  readonly age_days: bigint;
}

export interface Facts {
  readonly payment: {
    readonly id: string;
    readonly kind: 'payment' | 'deposit' | 'withdrawal';
    readonly amount: bigint;
    readonly currency: string;
    readonly capture: 'automatic' | 'manual';
    readonly description: string;
    readonly reference: string;
  };
  readonly metadata: Readonly<Record<string, string>>;
  readonly from: AccountFacts;
  readonly to: AccountFacts;
  /** The payer's use of its limits in the windows of its time zone, before this payment. */
  readonly usage: { readonly daily: bigint; readonly monthly: bigint; readonly daily_count: bigint };
  /** The payer's limits. A limit that is not set is absent. */
  readonly limits: {
    readonly per_payment: bigint | undefined;
    readonly daily: bigint | undefined;
    readonly monthly: bigint | undefined;
    readonly daily_count: bigint | undefined;
  };
  readonly caller: { readonly id: string; readonly roles: readonly string[] };
  readonly now: Date;
}

interface Known {
  readonly request: PaymentRequest;
  readonly from: Account;
  readonly to: Account;
  readonly usage: Usage;
  readonly now: Date;
}

/** The state before the payment. */
export function factsOf({ request, from, to, usage, now }: Known): Facts {
  const { limits } = from;
  return {
    payment: {
      id: request.paymentId,
      kind: kindOf(from, to),
      amount: request.amount,
      currency: request.currency,
      capture: request.captureMode === 'MANUAL' ? 'manual' : 'automatic',
      description: request.description,
      reference: request.reference,
    },
    metadata: request.metadata,
    from: accountFacts(from, now),
    to: accountFacts(to, now),
    usage: {
      daily: shown(usage.spentToday),
      monthly: shown(usage.spentThisMonth),
      daily_count: BigInt(usage.countToday),
    },
    limits: {
      per_payment: limits.perPayment ?? undefined,
      daily: limits.daily ?? undefined,
      monthly: limits.monthly ?? undefined,
      daily_count: limits.dailyCount === null ? undefined : BigInt(limits.dailyCount),
    },
    caller: { id: request.callerId, roles: request.callerRoles },
    now,
  };
}

function kindOf(from: Account, to: Account): Facts['payment']['kind'] {
  if (from.isExternal) return 'deposit';
  return to.isExternal ? 'withdrawal' : 'payment';
}

const DAY_MS = 86_400_000;

function accountFacts(account: Account, now: Date): AccountFacts {
  const { id, ownerId, currency, state, posted, held, createdAt } = account;
  return {
    id,
    owner: ownerId ?? '',
    currency,
    state,
    posted,
    held,
    // As in the API, also for the external account, which may spend what it does not have.
    available: posted - held,
    age_days: BigInt(Math.max(0, Math.floor((now.getTime() - createdAt.getTime()) / DAY_MS))),
  };
}
