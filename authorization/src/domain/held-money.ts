/** Shared by capture and release: finds the hold, checks that it is open, and gives money back. Pure. */
import type { Account } from './account.ts';
import type { CheckOf } from './checks.ts';
import type { Books } from './decision-context.ts';
import { AuthorizationError } from './errors.ts';
import type { Hold } from './hold.ts';
import type { Mandate } from './mandate.ts';
import type { StepKey } from './step-request.ts';
import { minusReleased } from './usage.ts';

export interface HeldMoney {
  readonly hold: Hold;
  readonly from: Account;
  readonly to: Account;
}

/** Returns the hold of this payment with its accounts. Throws HOLD_NOT_FOUND. */
export function heldMoney({ paymentId }: StepKey, { accounts, holds }: Books): HeldMoney {
  const hold = holds.get(paymentId);
  if (hold === undefined) {
    throw new AuthorizationError('HOLD_NOT_FOUND', 'No money was ever held for this payment.');
  }
  const from = accounts.get(hold.fromAccount);
  const to = accounts.get(hold.toAccount);
  if (from === undefined || to === undefined) throw new Error(`The accounts of ${paymentId} were not read.`);
  return { hold, from, to };
}

const HOW_IT_ENDED = {
  CAPTURED: 'The money that was held for this payment was captured or released; nothing is held any more.',
  RELEASED: 'The hold of this payment was cancelled.',
  EXPIRED: 'The hold of this payment has expired.',
} as const;

export const holdIsOpen: CheckOf<{ hold: Hold }> = ({ hold: { state } }) => {
  const finding = { name: 'hold_state', inputs: { state } };
  if (state === 'OPEN') return { ...finding, decline: undefined };
  return { ...finding, decline: 'HOLD_NOT_OPEN', message: HOW_IT_ENDED[state] };
};

/**
 * Returns the payer after `released` of the hold was given back. The money can be spent again, and the limits no longer count it.
 */
export function afterRelease(from: Account, hold: Hold, released: bigint): Account {
  const { usedIn, captured } = hold;
  const whole = captured === 0n;
  const usage = usedIn ? minusReleased(from.usage, { usedIn, released, whole }) : from.usage;
  return { ...from, held: from.held - released, usage };
}

/**
 * Returns the mandate of the hold after `released` of it was given back: the payee may collect that again, revoked or not. Undefined
 * without a mandate, and if the mandate was lost.
 */
export function mandateAfterRelease(
  { mandates }: Books,
  { mandateId, usedIn, captured }: Hold,
  released: bigint,
): Mandate | undefined {
  const mandate = mandateId === undefined ? undefined : mandates.get(mandateId);
  if (mandate === undefined || usedIn === undefined) return mandate;
  return { ...mandate, usage: minusReleased(mandate.usage, { usedIn, released, whole: captured === 0n }) };
}
