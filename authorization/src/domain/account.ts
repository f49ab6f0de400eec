/** An account: owner, balance, limits. Pure. */
import { MAX_MINOR } from './money.ts';
import { NEVER_USED, type Usage } from './usage.ts';

export type AccountState = 'ACTIVE' | 'FROZEN' | 'CLOSED';

/** The limits of an account. Amounts in minor units; null means no limit. */
export interface Limits {
  readonly perPayment: bigint | null;
  readonly daily: bigint | null;
  readonly monthly: bigint | null;
  readonly dailyCount: number | null;
}

export const NO_LIMITS: Limits = { perPayment: null, daily: null, monthly: null, dailyCount: null };

export interface Account {
  readonly id: string;
  /** Null for the external account, which has no owner. */
  readonly ownerId: string | null;
  readonly currency: string;
  readonly isExternal: boolean;
  readonly state: AccountState;
  readonly limits: Limits;
  /** IANA time zone that defines the days and months of the limits. */
  readonly timeZone: string;
  /** Minor units. Only an external account may be below zero. */
  readonly posted: bigint;
  /** Minor units of `posted` that are held for authorized payments. */
  readonly held: bigint;
  readonly usage: Usage;
  readonly createdAt: Date;
  /**
   * Time of the last decision that changed it. Undefined if there was none, and for an external account. It may be below zero, so
   * its entries may have any order.
   */
  readonly decidedAt: Date | undefined;
}

/** An account with the fields that decisions do not need. */
export interface AccountRecord extends Account {
  readonly name: string;
  /** The operator's own id for it. Empty: none. */
  readonly externalId: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Increases with each change of state, limits or what describes it. */
  readonly version: bigint;
}

/** The accounts of a list. Undefined: any. */
export interface AccountFilter {
  readonly ownerId: string | undefined;
  readonly state: AccountState | undefined;
  readonly name: string | undefined;
  readonly externalId: string | undefined;
}

/**
 * Returns the amount that can be spent. The external account may owe up to the cap, so all money of a currency together never
 * exceeds it. No other account is below zero, so no single balance exceeds it either. A receiver's balance therefore needs no
 * check.
 */
export function available(account: Account): bigint {
  const owned = account.posted - account.held;
  return account.isExternal ? owned + MAX_MINOR : owned;
}

const EXTERNAL = /^external:([A-Z]{3})$/;

/** Money enters and leaves the platform through the external account, so that all balances of a currency add up to zero. */
export function externalAccountId(currency: string): string {
  return `external:${currency}`;
}

/** Returns the external account of a currency in which no account was ever opened. Undefined for any other id. */
export function unopenedExternal(id: string, now: Date): Account | undefined {
  const currency = EXTERNAL.exec(id)?.[1];
  if (currency === undefined) return undefined;
  return {
    id,
    ownerId: null,
    currency,
    isExternal: true,
    state: 'ACTIVE',
    limits: NO_LIMITS,
    timeZone: 'UTC',
    posted: 0n,
    held: 0n,
    usage: NEVER_USED,
    createdAt: now,
    decidedAt: undefined,
  };
}
