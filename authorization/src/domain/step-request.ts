/** The steps of a payment that the service is asked to decide. */

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
  /** The seconds that a hold lasts from the decision on; 0: `holdExpiresAt` says when it ends. */
  readonly holdSeconds: number;
  /** The end of a hold by the caller's clock; undefined: the platform's default. Read if `holdSeconds` is 0. */
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
