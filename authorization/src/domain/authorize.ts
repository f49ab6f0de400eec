/** Decides one payment and computes the changes of its accounts. Pure: no clock, no database. */
import { type Account, unopenedExternal } from './account.ts';
import { approved, declined, failed, passed } from './answers.ts';
import { PAYMENT_CHECKS, type Refusal, runChecks } from './checks.ts';
import type { Check } from './decision.ts';
import type { Basis, Books, DecideContext, Decided } from './decision-context.ts';
import { factsOf } from './facts.ts';
import { judgeByRules } from './judge-rules.ts';
import type { Mandate } from './mandate.ts';
import { type Collection, MANDATE_CHECKS } from './mandate-checks.ts';
import { playedDecline } from './played-decline.ts';
import type { PaymentRequest } from './step-request.ts';
import { plusPayment, type Usage, usageIn, windowsAt } from './usage.ts';

export function authorize(request: PaymentRequest, books: Books, context: DecideContext): Decided {
  const { now } = context;
  const parties =
    request.mandateId === undefined
      ? partiesOf(request, books.accounts, now)
      : partiesByMandate(request, books, now);
  if ('refused' in parties) return parties.refused;
  const { from, to, mandate } = parties;

  const usage = usageIn(windowsAt(now, from.timeZone), from.usage);
  // The windows of the mandate are those of the account, so that a hold gives both back by the same windows.
  const collected = mandate && { mandate, mandateUsage: usageIn(usage, mandate.usage) };
  const toCheck = { request, from, to, usage };
  const played = context.sandbox ? playedDecline(toCheck, now) : undefined;
  if (played) return played;
  const { checks, refusal, basis } = runChecksAndRules(toCheck, collected, context);
  if (refusal) return { ...declined({ refusal, checks, now, from, to }), ...(basis && { basis }) };

  // Limits apply to accounts with an owner; the external account has none.
  const used = from.isExternal ? undefined : plusPayment(usage, request.amount);
  const usedMandate = collected && {
    ...collected.mandate,
    usage: plusPayment(collected.mandateUsage, request.amount),
  };
  const payment = { request, from, to, used, usedMandate, checks };
  const done = request.captureMode === 'MANUAL' ? held(payment, context) : moved(payment, context);
  return { ...done, ...(basis && { basis }) };
}

/**
 * Decides only by the mandate: the payer's account and the rules are left out. A simulation for the payee is decided so, because it would
 * otherwise show the payer's balance without a trace of the attempt.
 */
export function authorizeByMandate(request: PaymentRequest, books: Books, { now }: DecideContext): Decided {
  const parties = partiesByMandate(request, books, now);
  if ('refused' in parties) return parties.refused;
  const { from, to, mandate } = parties;
  const windows = usageIn(windowsAt(now, from.timeZone), from.usage);
  const mandateUsage = usageIn(windows, mandate.usage);
  const { checks: made, refusal } = runChecks(MANDATE_CHECKS, { request, from, mandate, mandateUsage, now });
  const checks = [passed('mandate'), ...made];
  if (refusal) return declined({ refusal, checks, now, from, to });
  return approved({ checks, movements: [], changed: [], now, from, to });
}

/** The accounts of a payment, or its decline. */
type Parties<M> =
  | { readonly from: Account; readonly to: Account; readonly mandate: M }
  | { readonly refused: Decided };

/** The parties of a payment by the payer, or by an operator. */
function partiesOf(request: PaymentRequest, accounts: Books['accounts'], now: Date): Parties<undefined> {
  const from = payingAccount(request, accounts, now);
  if (from === undefined) {
    // A caller who may not spend from this account must see neither the payer's figures nor that the receiver exists.
    const refusal = { decline: 'FROM_ACCOUNT_NOT_FOUND' } as const;
    return { refused: declined({ refusal, checks: [failed('from_account')], now }) };
  }
  const to = receivingAccount(request, accounts, now);
  if (to === undefined) {
    const checks = [passed('from_account'), failed('to_account')];
    return { refused: declined({ refusal: { decline: 'TO_ACCOUNT_NOT_FOUND' }, checks, now, from }) };
  }
  if (isOwnDealing(request, from, to)) {
    const checks = [passed('from_account'), passed('to_account'), failed('own_account')];
    return { refused: declined({ refusal: { decline: 'OWN_ACCOUNT' }, checks, now, from, to }) };
  }
  return { from, to, mandate: undefined };
}

/**
 * The parties of a payment that the payee collects. All others get the same decline, whether the mandate exists or not: it names no
 * owner and has no figures. An operator may collect for a payee, but not from or to an account of its own unless it is the payee.
 */
function partiesByMandate(
  request: PaymentRequest,
  { accounts, mandates }: Books,
  now: Date,
): Parties<Mandate> {
  const mandate = mandates.get(request.mandateId ?? '');
  const from = mandate && accounts.get(mandate.fromAccount);
  const to = mandate && accounts.get(mandate.toAccount);
  const isForThis = mandate?.fromAccount === request.fromAccount && mandate.toAccount === request.toAccount;
  if (mandate && from && to && isForThis && mayCollect(request, from, to)) return { from, to, mandate };
  const refusal = { decline: 'MANDATE_NOT_FOUND' } as const;
  return { refused: declined({ refusal, checks: [failed('mandate')], now }) };
}

function mayCollect(request: PaymentRequest, from: Account, to: Account): boolean {
  if (to.ownerId === request.callerId) return true;
  return isOperator(request) && from.ownerId !== request.callerId;
}

interface PaymentToCheck {
  request: PaymentRequest;
  from: Account;
  to: Account;
  usage: Usage;
}

/**
 * Runs all checks, then the rules. The rules come last, so that a decline by a rule has the whole trace, and a payment that an
 * ALLOW rule accepts has passed all other checks. The mandate comes first: a payee without a valid one learns nothing about the payer.
 */
function runChecksAndRules(
  toCheck: PaymentToCheck,
  collected: Pick<Collection, 'mandate' | 'mandateUsage'> | undefined,
  { now, rules }: DecideContext,
): {
  checks: Check[];
  refusal: Pick<Refusal, 'decline' | 'message' | 'limit'> | undefined;
  basis?: Basis;
} {
  const byMandate = collected && runChecks(MANDATE_CHECKS, { ...toCheck, ...collected, now });
  const known = byMandate
    ? [passed('mandate'), ...byMandate.checks]
    : [passed('from_account'), passed('to_account')];
  // Rules decide on what a mandate allows, so there is nothing to test them on.
  if (byMandate?.refusal) return { checks: known, refusal: byMandate.refusal };

  const facts = factsOf({ ...toCheck, now });
  const made = runChecks(PAYMENT_CHECKS, toCheck);
  const checks = [...known, ...made.checks];
  if (made.refusal) return { checks, refusal: made.refusal, basis: { facts, allowed: false } };
  const verdict = judgeByRules(rules(facts), [facts.from.owner, facts.to.owner]);
  return {
    checks: [...checks, ...verdict.checks],
    refusal: verdict.refusal,
    basis: { facts, allowed: verdict.allowed },
  };
}

/** Returns the payer's account to its owner and to operators. Undefined for other callers. */
function payingAccount(request: PaymentRequest, accounts: Books['accounts'], now: Date): Account | undefined {
  const account = accounts.get(request.fromAccount);
  if (isOperator(request)) return account ?? unopenedExternal(request.fromAccount, now);
  return account !== undefined && account.ownerId === request.callerId ? account : undefined;
}

/** Any account may be the receiver, but only an operator may pay money out of the platform. */
function receivingAccount(
  request: PaymentRequest,
  accounts: Books['accounts'],
  now: Date,
): Account | undefined {
  const account = accounts.get(request.toAccount);
  if (isOperator(request)) return account ?? unopenedExternal(request.toAccount, now);
  return account?.isExternal ? undefined : account;
}

function isOperator(request: PaymentRequest): boolean {
  return request.callerRoles.includes('operator');
}

/**
 * True if the payment needs the rights of an operator, and the operator owns one of the accounts. Separation of duties: operators may
 * spend from their own accounts as every owner does, but not move money to or from them by their office.
 */
function isOwnDealing(request: PaymentRequest, from: Account, to: Account): boolean {
  if (!isOperator(request)) return false;
  const ownsFrom = from.ownerId === request.callerId;
  return ownsFrom ? to.isExternal : to.ownerId === request.callerId;
}

interface ApprovedPayment {
  request: PaymentRequest;
  from: Account;
  to: Account;
  /** The payer's use of limits including this payment. Undefined for the external account. */
  used: Usage | undefined;
  /** The mandate with its use including this payment. Undefined for a payment without one. */
  usedMandate: Mandate | undefined;
  checks: readonly Check[];
}

function moved(payment: ApprovedPayment, { now }: DecideContext): Decided {
  const { request, from, to, used, usedMandate, checks } = payment;
  const { fromAccount, toAccount, amount } = request;
  return approved({
    checks,
    movements: [{ kind: 'TRANSFER', fromAccount, toAccount, amount }],
    changed: [
      { ...from, posted: from.posted - amount, usage: used ?? from.usage },
      { ...to, posted: to.posted + amount },
    ],
    mandate: usedMandate,
    from,
    to,
    now,
  });
}

function held(payment: ApprovedPayment, context: DecideContext): Decided {
  const { request, from, to, used, usedMandate, checks } = payment;
  const { paymentId, fromAccount, toAccount, amount } = request;
  const { now } = context;
  const expiresAt = endOfHold(request, context);
  const decided = approved({
    checks,
    movements: [{ kind: 'HOLD', fromAccount, toAccount, amount }],
    changed: [{ ...from, held: from.held + amount, usage: used ?? from.usage }],
    hold: {
      paymentId,
      fromAccount,
      toAccount,
      amount,
      captured: 0n,
      remaining: amount,
      state: 'OPEN',
      expiresAt,
      usedIn: used && { day: used.day, month: used.month },
      mandateId: usedMandate?.id,
    },
    mandate: usedMandate,
    from,
    to,
    now,
  });
  return { ...decided, decision: { ...decided.decision, holdExpiresAt: expiresAt } };
}

/**
 * One clock, that of this service, times the start, capture and end of a hold. The caller's clock may differ by more than the
 * hold lasts.
 */
function endOfHold({ holdSeconds, holdExpiresAt }: PaymentRequest, { now, holdTtlMs }: DecideContext): Date {
  if (holdSeconds > 0) return new Date(now.getTime() + holdSeconds * 1_000);
  return holdExpiresAt ?? new Date(now.getTime() + holdTtlMs);
}
