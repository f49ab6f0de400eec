/** The steps of a payment that this service decides. */
import type { RoleName } from '@payflowx/chassis';

/** The key of one step of one payment. */
export interface StepKey {
  readonly paymentId: string;
  /** The caller's id for this step of the payment. */
  readonly operationId: string;
}

/** A payment to authorize. */
export interface PaymentRequest extends StepKey {
  readonly kind: 'AUTHORIZE';
  readonly fromAccount: string;
  readonly toAccount: string;
  /** Minor units, 1 to the cap. */
  readonly amount: bigint;
  readonly currency: string;
  readonly captureMode: 'AUTOMATIC' | 'MANUAL';
  readonly callerId: string;
  readonly callerRoles: readonly RoleName[];
  /** Seconds that a hold lasts from the decision on. 0: `holdExpiresAt` sets the end. */
  readonly holdSeconds: number;
  /** The end of a hold by the caller's clock. Undefined: the platform's default. Read only if `holdSeconds` is 0. */
  readonly holdExpiresAt: Date | undefined;
  /** The payer's texts. Only rules read them. */
  readonly description: string;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The mandate by which the payee collects. Undefined for a payment by the payer. */
  readonly mandateId: string | undefined;
}

/** Moves held money to the receiver. */
export interface CaptureRequest extends StepKey {
  readonly kind: 'CAPTURE';
  /** Minor units. 0: all that is still held. */
  readonly amount: bigint;
  /** True if the rest is released afterwards. */
  readonly final: boolean;
}

/** Gives held money back. */
export interface ReleaseRequest extends StepKey {
  readonly kind: 'RELEASE';
  readonly cause: 'CANCEL' | 'EXPIRY';
}

/** Sends moved money back: `fromAccount` received it, `toAccount` paid it. */
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
