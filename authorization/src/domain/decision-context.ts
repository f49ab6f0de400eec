/** A decision's input, and the result of taking it. */
import type { Account } from './account.ts';
import type { Decision } from './decision.ts';
import type { Facts } from './facts.ts';
import type { Hold } from './hold.ts';
import type { TryRules } from './judge-rules.ts';

/** What a decision is taken on: all locked, or all of one moment. */
export interface Books {
  readonly accounts: ReadonlyMap<string, Account>;
  /** By payment. */
  readonly holds: ReadonlyMap<string, Hold>;
}

export interface DecideContext {
  readonly now: Date;
  /** How long money is held where the request does not say. */
  readonly holdTtlMs: number;
  readonly rules: TryRules;
}

export interface Decided {
  readonly decision: Decision;
  /** The accounts that the step changed, as they are now; none if it was declined. */
  readonly changed: readonly Account[];
  /** The hold that the step made or changed, as it is now. */
  readonly hold: Hold | undefined;
  /** Minor units that are held for this payment after the step. */
  readonly remaining: bigint;
  /** Set where time alone stands in the way: the decision is not kept, and the same step is decided anew from then on. */
  readonly askAgainAt?: Date;
  /** What a rule could be tried on later: of a payment whose accounts are known, approved or not. */
  readonly basis?: Basis;
}

export interface Basis {
  readonly facts: Facts;
  /** Whether a rule let the payment pass all others. */
  readonly allowed: boolean;
}
