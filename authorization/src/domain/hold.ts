/** Money held for a payment until it is captured, released or expired. Pure. */
import type { Windows } from './usage.ts';

/** OPEN while money is held. Then the end: CAPTURED (in full, or in part and the rest released), RELEASED (nothing captured) or EXPIRED. */
export type HoldState = 'OPEN' | 'CAPTURED' | 'RELEASED' | 'EXPIRED';

/** Minor units of the payer's currency. amount = captured + remaining + released. */
export interface Hold {
  readonly paymentId: string;
  readonly fromAccount: string;
  readonly toAccount: string;
  readonly amount: bigint;
  readonly captured: bigint;
  readonly remaining: bigint;
  readonly state: HoldState;
  readonly expiresAt: Date;
  /** The windows in which the payer's limits counted it. Undefined if no limit counted it, as for the external account. */
  readonly usedIn: Windows | undefined;
  /** The mandate that counted it in the same windows. Undefined for the payer's own payments. */
  readonly mandateId: string | undefined;
}
