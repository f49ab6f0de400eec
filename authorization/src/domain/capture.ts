/** Decides whether held money moves to its receiver. Pure. */
import { approved, declined } from './answers.ts';
import { type CheckOf, runChecks, toState } from './checks.ts';
import type { Movement } from './decision.ts';
import type { Books, DecideContext, Decided } from './decision-context.ts';
import { afterRelease, type HeldMoney, heldMoney, holdIsOpen, mandateAfterRelease } from './held-money.ts';
import type { CaptureRequest } from './step-request.ts';

interface Capture extends HeldMoney {
  readonly amount: bigint;
  readonly now: Date;
}

/** From `expiresAt` on the money belongs to the payer again, even if no worker has released the hold yet. */
const notExpired: CheckOf<Capture> = ({ hold: { expiresAt }, now }) => {
  const finding = { name: 'hold_time', inputs: { expires_at: expiresAt.toISOString() } };
  if (now < expiresAt) return { ...finding, decline: undefined };
  const message = `The hold of this payment expired at ${expiresAt.toISOString()}.`;
  return { ...finding, decline: 'HOLD_NOT_OPEN', message };
};

const amountIsHeld: CheckOf<Capture> = ({ hold, amount }) => ({
  name: 'held_amount',
  inputs: { amount: `${amount}`, remaining: `${hold.remaining}` },
  decline: amount <= hold.remaining ? undefined : 'CAPTURE_EXCEEDS_HOLD',
});

/** The payer's state is not checked: the money was held while the payer could pay. */
const CAPTURE_CHECKS: readonly CheckOf<Capture>[] = [holdIsOpen, notExpired, toState, amountIsHeld];

/** Throws HOLD_NOT_FOUND. */
export function capture(request: CaptureRequest, books: Books, { now }: DecideContext): Decided {
  const { hold, from, to } = heldMoney(request, books);
  const amount = request.amount === 0n ? hold.remaining : request.amount;
  const { checks, refusal } = runChecks(CAPTURE_CHECKS, { hold, from, to, amount, now });
  if (refusal) return declined({ refusal, checks, hold, from, to, now });

  const captured = hold.captured + amount;
  const rest = request.final ? hold.remaining - amount : 0n;
  const remaining = hold.remaining - amount - rest;
  const afterwards = {
    ...hold,
    captured,
    remaining,
    state: remaining > 0n ? hold.state : 'CAPTURED',
  } as const;
  const payer = { ...from, posted: from.posted - amount, held: from.held - amount };
  return approved({
    checks,
    movements: movementsOf(hold, { amount, rest }),
    changed: [afterRelease(payer, afterwards, rest), { ...to, posted: to.posted + amount }],
    hold: afterwards,
    mandate: mandateAfterRelease(books, afterwards, rest),
    from,
    to,
    now,
  });
}

/**
 * Releases the captured amount and the rest, then moves the captured amount. So the ledger's account of held money comes out
 * even.
 */
function movementsOf(
  { fromAccount, toAccount }: HeldMoney['hold'],
  { amount, rest }: { amount: bigint; rest: bigint },
): Movement[] {
  return [
    { kind: 'RELEASE', fromAccount, toAccount, amount: amount + rest },
    { kind: 'TRANSFER', fromAccount, toAccount, amount },
  ];
}
