/** An account as a decision sees it: who owns it, what it holds, what it may spend. Pure. */
import { MAX_MINOR } from './money.ts';
import { NEVER_USED, type Usage } from './usage.ts';

export type AccountState = 'ACTIVE' | 'FROZEN' | 'CLOSED';

/** What an account may spend. Amounts in minor units; null is no limit. */
export interface Limits {
  readonly perPayment: bigint | null;
  readonly daily: bigint | null;
  readonly monthly: bigint | null;
  readonly dailyCount: number | null;
}

export const NO_LIMITS: Limits = { perPayment: null, daily: null, monthly: null, dailyCount: null };

export interface Account {
  readonly id: string;
  /** Null: the world outside, which nobody owns. */
  readonly ownerId: string | null;
  readonly currency: string;
  readonly isExternal: boolean;
  readonly state: AccountState;
  readonly limits: Limits;
  /** IANA name of the zone whose days and months its limits count in. */
  readonly timeZone: string;
  /** Minor units; below zero only outside. */
  readonly posted: bigint;
  /** Minor units of `posted` that are promised to authorized payments. */
  readonly held: bigint;
  readonly usage: Usage;
  readonly createdAt: Date;
}

/** An account with what only people look at. */
export interface AccountRecord extends Account {
  readonly name: string;
  /** Rises with each change of name, state, limits or time zone. */
  readonly version: bigint;
}

/**
 * What can still be spent. The world outside may owe up to the cap: all money of a currency together never passes it,
 * and as nobody else is below zero, no single balance can either. A receiver's balance needs no check of its own.
 */
export function available(account: Account): bigint {
  const owned = account.posted - account.held;
  return account.isExternal ? owned + MAX_MINOR : owned;
}

const EXTERNAL = /^external:([A-Z]{3})$/;

/** Money enters and leaves the platform through this account, so that all balances of a currency add up to zero. */
export function externalAccountId(currency: string): string {
  return `external:${currency}`;
}

/** The external account of this id while no account of its currency was ever opened; undefined for any other id. */
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
  };
}
