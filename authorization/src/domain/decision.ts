/** The decision on one step of a payment. */
import type { DeclineCode } from '@payflowx/proto/declines';

export type { DeclineCode };

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
