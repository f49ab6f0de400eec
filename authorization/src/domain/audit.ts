/** What operators do to accounts, as it is kept for good. Pure. */
import type { AccountRecord, AccountState } from './account.ts';

export type AuditAction =
  | 'account.created'
  | 'account.updated'
  | 'account.frozen'
  | 'account.unfrozen'
  | 'account.closed';

/** What leading an account into each state is called. */
export const ACTION_INTO: Record<AccountState, AuditAction> = {
  ACTIVE: 'account.unfrozen',
  FROZEN: 'account.frozen',
  CLOSED: 'account.closed',
};

/** Who asks, in which request. */
export interface Actor {
  readonly id: string;
  readonly traceId: string;
}

export interface AuditRecord {
  readonly id: string;
  readonly actor: Actor;
  readonly action: AuditAction;
  readonly accountId: string;
  readonly reason: string;
  /** The account before, as JSON; undefined where it was created. */
  readonly before: object | undefined;
  readonly after: object;
  readonly createdAt: Date;
}

/** What an operator can change, and what names the account. Not its money: that changes with every payment. */
export function auditedFacts(account: AccountRecord): object {
  const { limits } = account;
  return {
    id: account.id,
    owner_id: account.ownerId,
    name: account.name,
    currency: account.currency,
    state: account.state,
    time_zone: account.timeZone,
    limits: {
      per_payment: toNumber(limits.perPayment),
      daily: toNumber(limits.daily),
      monthly: toNumber(limits.monthly),
      daily_count: limits.dailyCount,
    },
    version: Number(account.version),
  };
}

/** No amount is beyond what a JSON number carries exactly. */
function toNumber(amount: bigint | null): number | null {
  return amount === null ? null : Number(amount);
}
