/** The input and the result of a decision. */
import type { Account } from './account.ts';
import type { Decision } from './decision.ts';
import type { Facts } from './facts.ts';
import type { Hold } from './hold.ts';
import type { TryRules } from './judge-rules.ts';
import type { Mandate } from './mandate.ts';

/** The state that a decision is based on: all rows are locked, or are of one moment. */
export interface Books {
  readonly accounts: ReadonlyMap<string, Account>;
  /** By payment id. */
  readonly holds: ReadonlyMap<string, Hold>;
  /** By id: those that the steps or their holds name. */
  readonly mandates: ReadonlyMap<string, Mandate>;
}

export interface DecideContext {
  readonly now: Date;
  /** Milliseconds that a hold lasts if the request does not say. */
  readonly holdTtlMs: number;
  readonly rules: TryRules;
  /** True if magic references decline payments. Absent: they are ordinary texts. */
  readonly sandbox?: boolean | undefined;
}

export interface Decided {
  readonly decision: Decision;
  /** The changed accounts. Empty if the step was declined. */
  readonly changed: readonly Account[];
  /** The hold that the step made or changed. */
  readonly hold: Hold | undefined;
  /** The mandate whose use the step changed. */
  readonly mandate?: Mandate | undefined;
  /** Minor units held for this payment after the step. */
  readonly remaining: bigint;
  /** Set if only the time is missing. The decision is then not stored, and from this moment a retry is decided again. */
  readonly retryAt?: Date;
  /** The facts for backtests of rules. Set for payments whose accounts are known, approved or not. */
  readonly basis?: Basis;
}

export interface Basis {
  readonly facts: Facts;
  /** True if an ALLOW rule matched. */
  readonly allowed: boolean;
}
