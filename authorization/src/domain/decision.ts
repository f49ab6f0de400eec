/** The decision on one step of a payment. */

/** The reasons of a decline, each with a text for the payer. */
export const DECLINES = {
  FROM_ACCOUNT_NOT_FOUND: 'The paying account does not exist.',
  TO_ACCOUNT_NOT_FOUND: 'The receiving account does not exist.',
  OWN_ACCOUNT: 'An operator may not do this with an account of its own. Another operator must do it.',
  FROM_ACCOUNT_NOT_ACTIVE: 'The paying account is not active.',
  TO_ACCOUNT_NOT_ACTIVE: 'The receiving account is not active.',
  CURRENCY_MISMATCH: 'Both accounts must be in the currency of the payment.',
  PER_PAYMENT_LIMIT_EXCEEDED: 'The amount is above the limit for one payment from this account.',
  DAILY_LIMIT_EXCEEDED: 'The amount is above what is left of the daily limit of this account.',
  MONTHLY_LIMIT_EXCEEDED: 'The amount is above what is left of the monthly limit of this account.',
  DAILY_COUNT_EXCEEDED: 'This account has reached its number of payments for today.',
  INSUFFICIENT_BALANCE: 'The paying account does not have enough money available.',
  RULE_DECLINED: 'A rule of the platform declines this payment.',
  HOLD_NOT_OPEN: 'The money of this payment is no longer held.',
  CAPTURE_EXCEEDS_HOLD: 'The amount is above what is still held for this payment.',
  HOLD_NOT_EXPIRED: 'The hold has not expired yet.',
} as const;

export type DeclineCode = keyof typeof DECLINES;

export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** The figures that the check used. Only those that the payer may see. */
  readonly inputs: Readonly<Record<string, string>>;
}

export interface LimitUse {
  readonly limit: bigint;
  readonly used: bigint;
  /** Undefined for a limit without a window. */
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
  /** The text of the decline, if there is a clearer one than the default of the code. */
  readonly message: string | undefined;
  readonly limit: LimitUse | undefined;
  readonly checks: readonly Check[];
  readonly movements: readonly Movement[];
  readonly fromOwnerId: string | null;
  readonly toOwnerId: string | null;
  readonly decidedAt: Date;
  /** The end of the hold that the decision made. Undefined if it made none. */
  readonly holdExpiresAt?: Date;
}
