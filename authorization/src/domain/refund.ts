/**
 * Decides whether moved money goes back. Pure. The payment service checks that this much was captured; here the receiver only
 * needs the balance.
 */
import { approved, declined, failed, passed } from './answers.ts';
import { REFUND_CHECKS, runChecks } from './checks.ts';
import type { Books, DecideContext, Decided } from './decision-context.ts';
import type { RefundRequest } from './step-request.ts';

export function refund(request: RefundRequest, { accounts }: Books, { now }: DecideContext): Decided {
  const { fromAccount, toAccount, amount } = request;
  const from = accounts.get(fromAccount);
  if (from === undefined) {
    return declined({
      refusal: { decline: 'FROM_ACCOUNT_NOT_FOUND' },
      checks: [failed('from_account')],
      now,
    });
  }
  const to = accounts.get(toAccount);
  if (to === undefined) {
    const checks = [passed('from_account'), failed('to_account')];
    return declined({ refusal: { decline: 'TO_ACCOUNT_NOT_FOUND' }, checks, now, from });
  }
  const made = runChecks(REFUND_CHECKS, { request, from, to });
  const checks = [passed('from_account'), passed('to_account'), ...made.checks];
  if (made.refusal) return declined({ refusal: made.refusal, checks, from, to, now });
  return approved({
    checks,
    movements: [{ kind: 'TRANSFER', fromAccount, toAccount, amount }],
    changed: [
      { ...from, posted: from.posted - amount },
      { ...to, posted: to.posted + amount },
    ],
    from,
    to,
    now,
  });
}
