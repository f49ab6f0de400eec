/**
 * Applies a decision that was made before, to balances and holds that lack it. Nothing is checked again: the money has moved. Pure.
 */
import type { Account } from './account.ts';
import type { Decision, Movement } from './decision.ts';
import type { Books, Decided } from './decision-context.ts';
import { afterRelease, mandateAfterRelease } from './held-money.ts';
import type { Hold } from './hold.ts';
import type { Mandate } from './mandate.ts';
import { endOf } from './release.ts';
import type { PaymentRequest, StepRequest } from './step-request.ts';
import { plusPayment, usageIn, type Windows, windowsAt } from './usage.ts';

export interface PastDecision extends Pick<Decision, 'decline' | 'movements' | 'decidedAt'> {
  readonly request: StepRequest;
  /** The end of the hold that the decision made. Undefined if it made none, or by an earlier version. */
  readonly holdExpiresAt: Date | undefined;
  /** The owners of the two accounts of the step. Undefined if external, not found, or not the caller's. */
  readonly owners: { readonly from: string | undefined; readonly to: string | undefined };
}

export type Replayed = Pick<Decided, 'changed' | 'hold' | 'mandate' | 'remaining'>;

/** Returns the accounts and the hold after the step. Throws if the books lack its hold, an account, or the money that it takes from the hold. */
export function replay(past: PastDecision, books: Books): Replayed {
  const { request, decline } = past;
  const held = books.holds.get(request.paymentId);
  if (decline !== undefined) return { changed: [], hold: undefined, remaining: held?.remaining ?? 0n };
  switch (request.kind) {
    case 'AUTHORIZE':
      return replayPayment(past, request, books);
    case 'REFUND':
      return { changed: transferred(past, books), hold: undefined, remaining: 0n };
    case 'CAPTURE':
    case 'RELEASE':
      return replayOnHold(past, request, books);
  }
}

function replayPayment(past: PastDecision, request: PaymentRequest, books: Books): Replayed {
  const { decidedAt } = past;
  const { paymentId, fromAccount, toAccount, amount } = request;
  const payer = accountIn(books, fromAccount);
  const used = payer.isExternal
    ? undefined
    : plusPayment(usageIn(windowsAt(decidedAt, payer.timeZone), payer.usage), amount);
  const counted = { ...payer, usage: used ?? payer.usage };
  const mandate = usedMandate(request, books, counted.usage);
  if (request.captureMode === 'AUTOMATIC') {
    return { changed: transferred(past, books, counted), hold: undefined, mandate, remaining: 0n };
  }
  const expiresAt = past.holdExpiresAt ?? request.holdExpiresAt;
  if (!expiresAt) throw new Error(`The hold of ${paymentId} has no end.`);
  const hold: Hold = {
    paymentId,
    fromAccount,
    toAccount,
    amount,
    captured: 0n,
    remaining: amount,
    state: 'OPEN',
    expiresAt,
    usedIn: used && { day: used.day, month: used.month },
    mandateId: request.mandateId,
  };
  return {
    changed: [dated({ ...counted, held: counted.held + amount }, decidedAt)],
    hold,
    mandate,
    remaining: amount,
  };
}

/** Returns the mandate with its use after the payment. Undefined without one, and if the mandate was lost with the decision. */
function usedMandate(
  { mandateId, amount }: PaymentRequest,
  { mandates }: Books,
  windows: Windows,
): Mandate | undefined {
  const mandate = mandateId === undefined ? undefined : mandates.get(mandateId);
  return mandate && { ...mandate, usage: plusPayment(usageIn(windows, mandate.usage), amount) };
}

function replayOnHold(
  past: PastDecision,
  request: Extract<StepRequest, { kind: 'CAPTURE' | 'RELEASE' }>,
  books: Books,
): Replayed {
  const { decidedAt } = past;
  const hold = books.holds.get(request.paymentId);
  if (!hold) throw new Error(`The hold of ${request.paymentId} is missing.`);
  const left = sumOf('RELEASE', past.movements);
  const amount = sumOf('TRANSFER', past.movements);
  if (left > hold.remaining || amount > left)
    throw new Error(
      `The hold of ${request.paymentId} has ${hold.remaining}, but ${left} were taken from it.`,
    );
  const remaining = hold.remaining - left;
  const payer = accountIn(books, hold.fromAccount);
  if (request.kind === 'RELEASE') {
    const released = { ...hold, remaining, state: endOf(request.cause, hold) };
    const mandate = mandateAfterRelease(books, hold, left);
    const changed = [dated(afterRelease(payer, hold, left), decidedAt)];
    return { changed, hold: released, mandate, remaining };
  }
  const captured: Hold = {
    ...hold,
    captured: hold.captured + amount,
    remaining,
    state: remaining > 0n ? hold.state : 'CAPTURED',
  };
  const freed = afterRelease({ ...payer, held: payer.held - amount }, captured, left - amount);
  const mandate = mandateAfterRelease(books, captured, left - amount);
  return { changed: transferred(past, books, freed), hold: captured, mandate, remaining };
}

/** Returns both accounts after the transfers of the step. `payer` was changed by the step before. */
function transferred({ movements, decidedAt }: PastDecision, books: Books, payer?: Account): Account[] {
  const changed = new Map<string, Account>(payer && [[payer.id, payer]]);
  const change = (id: string, amount: bigint) => {
    const account = changed.get(id) ?? accountIn(books, id);
    changed.set(id, dated({ ...account, posted: account.posted + amount }, decidedAt));
  };
  for (const { kind, fromAccount, toAccount, amount } of movements) {
    if (kind !== 'TRANSFER') continue;
    change(fromAccount, -amount);
    change(toAccount, amount);
  }
  return [...changed.values()];
}

function accountIn({ accounts }: Books, id: string): Account {
  const account = accounts.get(id);
  if (!account) throw new Error(`The account ${id} is missing.`);
  return account;
}

/** Later decisions need a later time. */
function dated(account: Account, decidedAt: Date): Account {
  const isLater = account.decidedAt === undefined || account.decidedAt < decidedAt;
  return account.isExternal || !isLater ? account : { ...account, decidedAt };
}

function sumOf(kind: Movement['kind'], movements: readonly Movement[]): bigint {
  return movements.reduce((sum, movement) => (movement.kind === kind ? sum + movement.amount : sum), 0n);
}
