/** Decides whether held money is given back. Pure. */
import { approved, declined } from './answers.ts';
import { type CheckOf, runChecks } from './checks.ts';
import type { Books, DecideContext, Decided } from './decision-context.ts';
import { afterRelease, type HeldMoney, heldMoney, holdIsOpen, mandateAfterRelease } from './held-money.ts';
import type { Hold, HoldState } from './hold.ts';
import type { ReleaseRequest } from './step-request.ts';

interface Release extends HeldMoney {
  readonly now: Date;
}

const timeIsOver: CheckOf<Release> = ({ hold: { expiresAt }, now }) => ({
  name: 'hold_time',
  inputs: { expires_at: expiresAt.toISOString() },
  decline: now >= expiresAt ? undefined : 'HOLD_NOT_EXPIRED',
});

/** The states of the accounts are not checked: released money belongs to the payer, frozen or not. */
const RELEASE_CHECKS: Record<ReleaseRequest['cause'], readonly CheckOf<Release>[]> = {
  CANCEL: [holdIsOpen],
  EXPIRY: [holdIsOpen, timeIsOver],
};

/** A cancel after a capture ends the hold as a final capture does. */
export function endOf(cause: ReleaseRequest['cause'], { captured }: Hold): HoldState {
  if (cause === 'EXPIRY') return 'EXPIRED';
  return captured > 0n ? 'CAPTURED' : 'RELEASED';
}

/** Throws HOLD_NOT_FOUND. */
export function release(request: ReleaseRequest, books: Books, { now }: DecideContext): Decided {
  const { hold, from, to } = heldMoney(request, books);
  const { checks, refusal } = runChecks(RELEASE_CHECKS[request.cause], { hold, from, to, now });
  if (refusal) {
    const decided = declined({ refusal, checks, hold, from, to, now });
    return refusal.decline === 'HOLD_NOT_EXPIRED' ? { ...decided, retryAt: hold.expiresAt } : decided;
  }

  const { fromAccount, toAccount, remaining: amount } = hold;
  return approved({
    checks,
    movements: [{ kind: 'RELEASE', fromAccount, toAccount, amount }],
    changed: [afterRelease(from, hold, amount)],
    hold: { ...hold, remaining: 0n, state: endOf(request.cause, hold) },
    mandate: mandateAfterRelease(books, hold, amount),
    from,
    to,
    now,
  });
}
