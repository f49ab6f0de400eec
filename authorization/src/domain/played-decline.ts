/** Declines a payment because its magic reference asks for it. Only with SANDBOX=on. Pure. */
import { type PlayedDecline, readMagicReference } from '@payflowx/proto/sandbox';
import type { Account } from './account.ts';
import { declined, failed, passed } from './answers.ts';
import { endOfDay, endOfMonth } from './calendar.ts';
import type { LimitUse } from './decision.ts';
import type { Decided } from './decision-context.ts';
import type { PaymentRequest } from './step-request.ts';
import { shown, type Usage } from './usage.ts';

interface Payment {
  readonly request: PaymentRequest;
  readonly from: Account;
  readonly to: Account;
  readonly usage: Usage;
}

/**
 * Returns the decline that the payment asks for. Undefined if it asks for none, and for deposits and withdrawals. Its facts are not
 * kept, so that no backtest of rules counts it.
 */
export function playedDecline(payment: Payment, now: Date): Decided | undefined {
  const { request, from, to } = payment;
  if (from.isExternal || to.isExternal) return undefined;
  const magic = readMagicReference(request.reference);
  if (magic?.kind !== 'decline') return undefined;
  const { code } = magic;
  const refusal = { decline: code, limit: limitOf(code, payment) };
  // As in the real declines: a caller without a right to the account learns nothing of it.
  if (code === 'FROM_ACCOUNT_NOT_FOUND' || code === 'MANDATE_NOT_FOUND')
    return declined({ refusal, checks: [failed('sandbox')], now });
  const checks = [passed('from_account'), failed('sandbox')];
  // A payee sees its own declined attempts, so a collection names its account.
  const isPayerOnly = code === 'TO_ACCOUNT_NOT_FOUND' && request.mandateId === undefined;
  if (isPayerOnly) return declined({ refusal, checks, now, from });
  return declined({ refusal, checks, now, from, to });
}

/** The use of a limit of which nothing is left: a real decline by a limit has it too. */
function limitOf(code: PlayedDecline, { request, from, usage }: Payment): LimitUse | undefined {
  const { day, month, spentToday, spentThisMonth, countToday } = usage;
  switch (code) {
    case 'PER_PAYMENT_LIMIT_EXCEEDED':
      return { limit: request.amount - 1n, used: 0n, resetsAt: undefined };
    case 'DAILY_LIMIT_EXCEEDED':
      return usedUp(shown(spentToday), endOfDay(day, from.timeZone));
    case 'MONTHLY_LIMIT_EXCEEDED':
      return usedUp(shown(spentThisMonth), endOfMonth(month, from.timeZone));
    case 'DAILY_COUNT_EXCEEDED':
      return usedUp(BigInt(countToday), endOfDay(day, from.timeZone));
    default:
      return undefined;
  }
}

function usedUp(used: bigint, resetsAt: Date): LimitUse {
  return { limit: used, used, resetsAt };
}
