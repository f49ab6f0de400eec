/** What is asked of the service about one step of a payment, and what it answers. */
import type { Account } from './account.ts';
import type { Facts } from './facts.ts';
import type { Hold } from './hold.ts';
import type { TryRules } from './judge-rules.ts';

export type Role = 'customer' | 'operator' | 'auditor' | 'service';

/** What names one step of one payment. */
export interface StepKey {
  readonly paymentId: string;
  /** The caller's id for this step of the payment. */
  readonly operationId: string;
}

/** One payment that wants to happen. */
export interface PaymentRequest extends StepKey {
  readonly kind: 'AUTHORIZE';
  readonly fromAccount: string;
  readonly toAccount: string;
  /** Minor units, 1 to the cap. */
  readonly amount: bigint;
  readonly currency: string;
  readonly captureMode: 'AUTOMATIC' | 'MANUAL';
  readonly callerId: string;
  readonly callerRoles: readonly Role[];
  /** How long a hold lasts from the decision on; 0: `holdExpiresAt` says when it ends. */
  readonly holdSeconds: number;
  /** When a hold ends by itself, by the caller's clock; undefined: the platform's default. Read where `holdSeconds` is 0. */
  readonly holdExpiresAt: Date | undefined;
  /** What the payer says about it: nothing but rules reads it. */
  readonly description: string;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Held money that is to be moved to the receiver. */
export interface CaptureRequest extends StepKey {
  readonly kind: 'CAPTURE';
  /** Minor units; 0: all that is still held. */
  readonly amount: bigint;
  /** Whether what is still held afterwards is given back. */
  readonly final: boolean;
}

/** Held money that is to be given back. */
export interface ReleaseRequest extends StepKey {
  readonly kind: 'RELEASE';
  readonly cause: 'CANCEL' | 'EXPIRY';
}

/** Moved money that is to go back: `fromAccount` is who received it, `toAccount` who paid. */
export interface RefundRequest extends StepKey {
  readonly kind: 'REFUND';
  readonly fromAccount: string;
  readonly toAccount: string;
  /** Minor units, 1 to the cap. */
  readonly amount: bigint;
  readonly currency: string;
}

export type StepRequest = PaymentRequest | CaptureRequest | ReleaseRequest | RefundRequest;
export type StepKind = StepRequest['kind'];

/** Why a step may not happen, each with a sentence that the payer may read. */
export const DECLINES = {
  FROM_ACCOUNT_NOT_FOUND: 'The paying account does not exist.',
  TO_ACCOUNT_NOT_FOUND: 'The receiving account does not exist.',
  FROM_ACCOUNT_NOT_ACTIVE: 'The paying account is not active.',
  TO_ACCOUNT_NOT_ACTIVE: 'The receiving account is not active.',
  CURRENCY_MISMATCH: 'Both accounts must be in the currency of the payment.',
  PER_PAYMENT_LIMIT_EXCEEDED: 'The amount is above what one payment from this account may be.',
  DAILY_LIMIT_EXCEEDED: 'The amount is above what this account may still spend today.',
  MONTHLY_LIMIT_EXCEEDED: 'The amount is above what this account may still spend this month.',
  DAILY_COUNT_EXCEEDED: 'This account has made as many payments today as it may.',
  INSUFFICIENT_BALANCE: 'The paying account does not have enough money available.',
  RULE_DECLINED: 'A rule of the platform declines this payment.',
  HOLD_NOT_OPEN: 'The money of this payment is not held any more.',
  CAPTURE_EXCEEDS_HOLD: 'The amount is above what is still held for this payment.',
  HOLD_PARTLY_CAPTURED: 'Part of the held money was captured, so the payment cannot be cancelled.',
  HOLD_NOT_EXPIRED: 'The time of the hold is not over.',
} as const;

export type DeclineCode = keyof typeof DECLINES;

export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** The figures it looked at; only such as whoever gives the money may see. */
  readonly inputs: Readonly<Record<string, string>>;
}

export interface LimitUse {
  readonly limit: bigint;
  readonly used: bigint;
  /** Undefined for a limit that has no window. */
  readonly resetsAt: Date | undefined;
}

export interface Movement {
  readonly kind: 'HOLD' | 'RELEASE' | 'TRANSFER';
  readonly fromAccount: string;
  readonly toAccount: string;
  readonly amount: bigint;
}

export interface Decision {
  /** Undefined: approved. */
  readonly decline: DeclineCode | undefined;
  /** The decline in a sentence, where there is a clearer one than the code's own. */
  readonly message: string | undefined;
  readonly limit: LimitUse | undefined;
  readonly checks: readonly Check[];
  readonly movements: readonly Movement[];
  readonly fromOwnerId: string | null;
  readonly toOwnerId: string | null;
  readonly decidedAt: Date;
  /** When the hold ends that the decision made; undefined: it made none. */
  readonly holdExpiresAt?: Date;
}

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
