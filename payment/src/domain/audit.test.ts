import { expect, it } from 'vitest';
import { type AuditAction, CREATED, concernedSide, outcomeOf, TAKEN } from './audit.ts';
import type { PaymentKind } from './order.ts';
import { PAYMENT_STATES } from './payment.ts';

const from = { accountId: 'acct_from', ownerId: 'usr_from' };
const to = { accountId: 'acct_to', ownerId: undefined };

it.each<[PaymentKind, AuditAction, string]>([
  ['PAYMENT', 'payment.created', 'acct_from'],
  ['PAYMENT', 'payment.captured', 'acct_from'],
  ['PAYMENT', 'payment.cancelled', 'acct_from'],
  ['PAYMENT', 'payment.refunded', 'acct_to'],
  ['DEPOSIT', 'deposit.created', 'acct_to'],
  ['DEPOSIT', 'payment.refunded', 'acct_to'],
  ['WITHDRAWAL', 'withdrawal.created', 'acct_from'],
  ['WITHDRAWAL', 'payment.refunded', 'acct_from'],
])('of a %s, %s concerns %s', (kind, action, accountId) => {
  expect(concernedSide({ kind, from, to }, action).accountId).toBe(accountId);
});

it('every kind and every step has its action', () => {
  expect({ ...CREATED, ...TAKEN }).toEqual({
    PAYMENT: 'payment.created',
    DEPOSIT: 'deposit.created',
    WITHDRAWAL: 'withdrawal.created',
    CAPTURE: 'payment.captured',
    CANCEL: 'payment.cancelled',
    REFUND: 'payment.refunded',
  });
});

it('is pending until the payment is decided, declined if it failed, and done otherwise', () => {
  expect(PAYMENT_STATES.map((state) => [state, outcomeOf(state)])).toEqual(
    PAYMENT_STATES.map((state) => [
      state,
      state === 'INITIATED' ? 'PENDING' : state === 'FAILED' ? 'DECLINED' : 'DONE',
    ]),
  );
});
