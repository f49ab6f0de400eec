/**
 * Decides one payment and says what it does to the accounts. Pure: no clock, no database.
 * The caller holds the locks, applies what changed, and asks for the next payment with the accounts as they are then.
 */
import { type Account, unopenedExternal } from './account.ts';
import { PAYMENT_CHECKS } from './checks.ts';
import type { Check, Decision, DeclineCode, Hold, LimitUse, PaymentRequest } from './decision.ts';
import { plusPayment, usageIn, windowsAt } from './usage.ts';

export interface DecideContext {
  readonly now: Date;
  /** How long money is held where the request does not say. */
  readonly holdTtlMs: number;
}

export interface Decided {
  readonly decision: Decision;
  /** The accounts that the payment changed, as they are now; none if it was declined. */
  readonly changed: readonly Account[];
  readonly hold: Hold | undefined;
}

type Accounts = ReadonlyMap<string, Account>;

export function decide(request: PaymentRequest, accounts: Accounts, context: DecideContext): Decided {
  const { now } = context;
  const from = payingAccount(request, accounts);
  // Neither the payer's figures nor the receiver's existence are for somebody who may not spend here.
  if (from === undefined) return declined('FROM_ACCOUNT_NOT_FOUND', [failed('from_account')], { now });

  const checks: Check[] = [passed('from_account')];
  const to = receivingAccount(request, accounts);
  if (to === undefined) {
    return declined('TO_ACCOUNT_NOT_FOUND', [...checks, failed('to_account')], { now, from });
  }
  checks.push(passed('to_account'));

  const question = { request, from, to, usage: usageIn(windowsAt(now), from.usage) };
  for (const check of PAYMENT_CHECKS) {
    const finding = check(question);
    if (finding === undefined) continue;
    const { name, inputs, decline, limit } = finding;
    checks.push({ name, passed: decline === undefined, inputs });
    if (decline !== undefined) return declined(decline, checks, { now, from, to, limit });
  }
  return approved(question, checks, context);
}

/** The payer's account, for its owner and for operators; for anybody else it is not there. */
function payingAccount(request: PaymentRequest, accounts: Accounts): Account | undefined {
  const account = accounts.get(request.fromAccount);
  if (isOperator(request)) return account ?? unopenedExternal(request.fromAccount);
  return account !== undefined && account.ownerId === request.callerId ? account : undefined;
}

/** Anybody may be paid; only an operator may pay money out of the platform. */
function receivingAccount(request: PaymentRequest, accounts: Accounts): Account | undefined {
  const account = accounts.get(request.toAccount);
  if (isOperator(request)) return account ?? unopenedExternal(request.toAccount);
  return account?.isExternal ? undefined : account;
}

function isOperator(request: PaymentRequest): boolean {
  return request.callerRoles.includes('operator');
}

function approved(
  question: { request: PaymentRequest; from: Account; to: Account; usage: Account['usage'] },
  checks: Check[],
  { now, holdTtlMs }: DecideContext,
): Decided {
  const { request, from, to } = question;
  const { paymentId, fromAccount, toAccount, amount } = request;
  const manual = request.captureMode === 'MANUAL';
  // Limits bound what an owner's account spends; the world outside has none.
  const usage = from.isExternal ? from.usage : plusPayment(question.usage, amount);
  const decision: Decision = {
    decline: undefined,
    limit: undefined,
    checks,
    movements: [{ kind: manual ? 'HOLD' : 'TRANSFER', fromAccount, toAccount, amount }],
    fromOwnerId: from.ownerId,
    toOwnerId: to.ownerId,
    decidedAt: now,
  };
  if (manual) {
    const expiresAt = request.holdExpiresAt ?? new Date(now.getTime() + holdTtlMs);
    return {
      decision,
      changed: [{ ...from, held: from.held + amount, usage }],
      hold: { paymentId, fromAccount, toAccount, amount, expiresAt },
    };
  }
  return {
    decision,
    changed: [
      { ...from, posted: from.posted - amount, usage },
      { ...to, posted: to.posted + amount },
    ],
    hold: undefined,
  };
}

function declined(
  decline: DeclineCode,
  checks: readonly Check[],
  known: { now: Date; from?: Account; to?: Account; limit?: LimitUse | undefined },
): Decided {
  return {
    decision: {
      decline,
      limit: known.limit,
      checks,
      movements: [],
      fromOwnerId: known.from?.ownerId ?? null,
      toOwnerId: known.to?.ownerId ?? null,
      decidedAt: known.now,
    },
    changed: [],
    hold: undefined,
  };
}

const NOTHING: Record<string, string> = Object.freeze({});
const passed = (name: string): Check => ({ name, passed: true, inputs: NOTHING });
const failed = (name: string): Check => ({ name, passed: false, inputs: NOTHING });
