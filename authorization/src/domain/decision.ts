/** What is asked of the service about one payment, and what it answers. */

export type Role = 'customer' | 'operator' | 'auditor' | 'service';

/** One payment that wants to happen. */
export interface PaymentRequest {
  readonly paymentId: string;
  /** The caller's id for this step of the payment. */
  readonly operationId: string;
  readonly fromAccount: string;
  readonly toAccount: string;
  /** Minor units, 1 to the cap. */
  readonly amount: bigint;
  readonly currency: string;
  readonly captureMode: 'AUTOMATIC' | 'MANUAL';
  readonly callerId: string;
  readonly callerRoles: readonly Role[];
  /** When a hold ends by itself; undefined: the platform's default. */
  readonly holdExpiresAt: Date | undefined;
}

/** Why a payment may not happen, each with a sentence that the payer may read. */
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
} as const;

export type DeclineCode = keyof typeof DECLINES;

export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** The figures it looked at; only such as the payer may see. */
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
  readonly limit: LimitUse | undefined;
  readonly checks: readonly Check[];
  readonly movements: readonly Movement[];
  readonly fromOwnerId: string | null;
  readonly toOwnerId: string | null;
  readonly decidedAt: Date;
}

/** Money promised to a payment. */
export interface Hold {
  readonly paymentId: string;
  readonly fromAccount: string;
  readonly toAccount: string;
  readonly amount: bigint;
  readonly expiresAt: Date;
}
