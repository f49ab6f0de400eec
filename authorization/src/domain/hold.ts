/** Money that is promised to a payment until it is captured, given back, or its time is over. Pure. */
import type { Windows } from './usage.ts';

/** OPEN while something is held; then how it ended: all captured or finally captured, cancelled, or out of time. */
export type HoldState = 'OPEN' | 'CAPTURED' | 'RELEASED' | 'EXPIRED';

/** Minor units of the payer's currency. amount = captured + remaining + what was given back. */
export interface Hold {
  readonly paymentId: string;
  readonly fromAccount: string;
  readonly toAccount: string;
  readonly amount: bigint;
  readonly captured: bigint;
  readonly remaining: bigint;
  readonly state: HoldState;
  readonly expiresAt: Date;
  /** Where the payer's limits counted it; undefined where nothing counted, as for the world outside. */
  readonly usedIn: Windows | undefined;
}
