/** Decides one payment and computes the changes of its accounts. Pure: no clock, no database. */
import { type Account, unopenedExternal } from './account.ts';
import { approved, declined, failed, passed } from './answers.ts';
import { PAYMENT_CHECKS, runChecks } from './checks.ts';
import type { Check } from './decision.ts';
import type { Books, DecideContext, Decided } from './decision-context.ts';
import { factsOf } from './facts.ts';
import { judgeByRules } from './judge-rules.ts';
import { playedDecline } from './played-decline.ts';
import type { PaymentRequest } from './step-request.ts';
import { plusPayment, type Usage, usageIn, windowsAt } from './usage.ts';

export function authorize(request: PaymentRequest, { accounts }: Books, context: DecideContext): Decided {
  const { now } = context;
  const from = payingAccount(request, accounts, now);
  if (from === undefined) {
    // A caller who may not spend from this account must see neither the payer's figures nor that the receiver exists.
    return declined({
      refusal: { decline: 'FROM_ACCOUNT_NOT_FOUND' },
      checks: [failed('from_account')],
      now,
    });
  }
  const to = receivingAccount(request, accounts, now);
  if (to === undefined) {
    const checks = [passed('from_account'), failed('to_account')];
    return declined({ refusal: { decline: 'TO_ACCOUNT_NOT_FOUND' }, checks, now, from });
  }
  if (isOwnDealing(request, from, to)) {
    const checks = [passed('from_account'), passed('to_account'), failed('own_account')];
    return declined({ refusal: { decline: 'OWN_ACCOUNT' }, checks, now, from, to });
  }

  const usage = usageIn(windowsAt(now, from.timeZone), from.usage);
  const toCheck = { request, from, to, usage };
  const played = context.sandbox ? playedDecline(toCheck, now) : undefined;
  if (played) return played;
  const { checks, refusal, basis } = runChecksAndRules(toCheck, context);
  if (refusal) return { ...declined({ refusal, checks, now, from, to }), basis };

  // Limits apply to accounts with an owner; the external account has none.
  const used = from.isExternal ? undefined : plusPayment(usage, request.amount);
  const payment = { request, from, to, used, checks };
  const done = request.captureMode === 'MANUAL' ? held(payment, context) : moved(payment, context);
  return { ...done, basis };
}

interface PaymentToCheck {
  request: PaymentRequest;
  from: Account;
  to: Account;
  usage: Usage;
}

/**
 * Runs all checks, then the rules. The rules come last, so that a decline by a rule has the whole trace, and a payment that an
 * ALLOW rule accepts has passed all other checks.
 */
function runChecksAndRules(toCheck: PaymentToCheck, { now, rules }: DecideContext) {
  const facts = factsOf({ ...toCheck, now });
  const made = runChecks(PAYMENT_CHECKS, toCheck);
  const checks = [passed('from_account'), passed('to_account'), ...made.checks];
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
  checks: readonly Check[];
}

function moved({ request, from, to, used, checks }: ApprovedPayment, { now }: DecideContext): Decided {
  const { fromAccount, toAccount, amount } = request;
  return approved({
    checks,
    movements: [{ kind: 'TRANSFER', fromAccount, toAccount, amount }],
    changed: [
      { ...from, posted: from.posted - amount, usage: used ?? from.usage },
      { ...to, posted: to.posted + amount },
    ],
    from,
    to,
    now,
  });
}

function held(payment: ApprovedPayment, context: DecideContext): Decided {
  const { request, from, to, used, checks } = payment;
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
    },
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
