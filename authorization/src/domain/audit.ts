/** Audit records of changes to accounts. They are kept permanently. Pure. */
import type { AccountRecord, AccountState } from './account.ts';

export type AuditAction =
  | 'account.created'
  | 'account.updated'
  | 'account.frozen'
  | 'account.unfrozen'
  | 'account.closed';

/** The audit action of a change into each state. */
export const ACTION_INTO: Record<AccountState, AuditAction> = {
  ACTIVE: 'account.unfrozen',
  FROZEN: 'account.frozen',
  CLOSED: 'account.closed',
};

/** The author of a change, and its request. */
export interface Actor {
  readonly id: string;
  /** The API client that acts for the user. */
  readonly clientId?: string | undefined;
  /** The trace of the request, which its caller may choose. */
  readonly traceId: string;
  /** The id of the gRPC call, which no caller can choose. Undefined in records from before it was stored. */
  readonly callId?: string | undefined;
}

export interface AuditRecord {
  readonly id: string;
  readonly actor: Actor;
  readonly action: AuditAction;
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
