/** Audit records of changes to accounts. They are kept permanently. Pure. */
import type { Origin } from '@payflowx/chassis';
import type { AccountAction } from '@payflowx/proto/vocabulary';
import type { AccountRecord, AccountState } from './account.ts';

/** The audit action of a change into each state. */
export const ACTION_INTO: Record<AccountState, AccountAction> = {
  ACTIVE: 'account.unfrozen',
  FROZEN: 'account.frozen',
  CLOSED: 'account.closed',
};

export interface AuditRecord {
  readonly id: string;
  readonly origin: Origin;
  readonly action: AccountAction;
  readonly accountId: string;
  readonly reason: string;
  /** The account before the change, as JSON. Undefined if the account was created. */
  readonly before: object | undefined;
  readonly after: object;
  readonly createdAt: Date;
}

/**
 * The fields that identify the account and those that an operator can change. Balances are left out, since every payment changes
 * them.
 */
export function auditedFacts(account: AccountRecord): object {
  const { limits } = account;
  return {
    id: account.id,
    owner_id: account.ownerId,
    name: account.name,
    external_id: account.externalId,
    metadata: account.metadata,
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

/** All amounts fit exactly into a JSON number. */
function toNumber(amount: bigint | null): number | null {
  return amount === null ? null : Number(amount);
}
