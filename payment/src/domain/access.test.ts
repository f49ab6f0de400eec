import type { Caller, RoleName } from '@payflowx/chassis';
import { describe, expect, it } from 'vitest';
import {
  maySee,
  maySeeOperation,
  notFound,
  operationNotFound,
  operationViewFor,
  ownAccount,
  requireAction,
  viewFor,
} from './access.ts';
import { PaymentError } from './errors.ts';
import { NO_NOTES, type Operation, type OperationKind, type RequestedKind } from './operation.ts';
import type { PaymentKind } from './order.ts';
import type { Payment } from './payment.ts';

const caller = (id: string, ...roles: RoleName[]): Caller => ({ id, roles });
const payer = caller('usr_payer', 'customer');
const receiver = caller('usr_receiver', 'customer');
const stranger = caller('usr_stranger', 'customer');
const operator = caller('usr_operator', 'operator');
const READERS = [operator, caller('usr_a', 'auditor')];
const payingOperator = caller('usr_payer', 'customer', 'operator');
const receivingOperator = caller('usr_receiver', 'operator', 'customer');

const payment = {
  kind: 'PAYMENT',
  captureBy: 'PAYER',
  id: 'pay_1',
  fromOwnerId: payer.id,
  toOwnerId: receiver.id,
  decision: Buffer.from('balance and limits'),
  description: 'Lunch',
  reference: 'order-7',
  metadata: { note: 'mine' },
  origin: { caller: { ...payer, clientId: 'cli_payer' }, requestId: 'key', traceparent: '' },
} as unknown as Payment;

const withoutClient = {
  ...payment,
  origin: { ...payment.origin, caller: { ...payment.origin.caller, clientId: undefined } },
};

describe('a payment', () => {
  it('is seen by its two sides and by those who see all, and by no other user', () => {
    for (const one of [payer, receiver, ...READERS, payingOperator]) expect(maySee(one, payment)).toBe(true);
    for (const one of [stranger, caller('usr_x', 'admin'), caller('usr_x')]) {
      expect(maySee(one, payment)).toBe(false);
    }
  });

  it('is whole for its payer and for those who see all', () => {
    for (const one of [payer, ...READERS, receivingOperator]) expect(viewFor(one, payment)).toEqual(payment);
  });

  it('shows its receiver neither the decision nor the notes and the API client of the payer', () => {
    expect(viewFor(receiver, payment)).toEqual({
      ...withoutClient,
      decision: undefined,
      reference: '',
      metadata: {},
    });
  });

  it('shows a payer no API client of the operator that requested it', () => {
    const origin = { ...payment.origin, caller: { ...operator, clientId: 'cli_operator' } };
    const seen = viewFor(payer, { ...payment, origin });
    expect(seen).toEqual({ ...payment, origin: { ...origin, caller: { ...operator, clientId: undefined } } });
    const plain = { ...payment, origin: { ...origin, caller: operator } };
    expect(viewFor(payer, plain)).toBe(plain);
  });
});

describe('an operation', () => {
  const states = ['PENDING', 'COMPLETED', 'DECLINED'] as const;
  /** The states in which each caller sees the operation. */
  it.each<[OperationKind, 'PAYER' | 'PAYEE', { payer: string[]; receiver: string[] }]>([
    ['CAPTURE', 'PAYER', { payer: [...states], receiver: ['COMPLETED'] }],
    ['CAPTURE', 'PAYEE', { payer: ['COMPLETED'], receiver: [...states] }],
    ['REFUND', 'PAYER', { payer: ['COMPLETED'], receiver: [...states] }],
    ['CANCEL', 'PAYER', { payer: [], receiver: [] }],
    ['EXPIRE', 'PAYER', { payer: [], receiver: [] }],
  ])('of kind %s of a payment that the %s captures', (kind, captureBy, expected) => {
    const seenBy = (one: Caller) =>
      states.filter((state) =>
        maySeeOperation(one, { ...payment, captureBy }, { kind, state } as unknown as Operation),
      );
    expect({ payer: seenBy(payer), receiver: seenBy(receiver) }).toEqual(expected);
    const all = kind === 'CAPTURE' || kind === 'REFUND' ? states : [];
    for (const one of READERS) expect(seenBy(one)).toEqual(all);
  });

  it('shows its notes and its API client to its requester and to those who see all', () => {
    const origin = { callerId: receiver.id, clientId: 'cli_shop', requestId: 'key', traceparent: '' };
    const notes = { reference: 'return-7', metadata: { order: '1' } };
    const refund = { id: 'ref_1', kind: 'REFUND', notes, origin } as unknown as Operation;
    for (const one of [receiver, ...READERS]) expect(operationViewFor(one, refund)).toBe(refund);
    expect(operationViewFor(payer, refund)).toEqual({
      ...refund,
      notes: NO_NOTES,
      origin: { ...origin, clientId: undefined },
    });
  });
});

describe('a step', () => {
  const allowed = undefined;
  const only = (side: string, detail = `Only the ${side} of the payment may do this.`) =>
    new PaymentError('ACTION_NOT_ALLOWED', detail, { metadata: { allowed: side } });
  const [payerOnly, payeeOnly] = [only('payer'), only('payee')];
  const operatorOnly = only('operator', 'Only an operator may do this.');

  it.each<[string, Caller, Record<RequestedKind, PaymentError | undefined>]>([
    ['the payer', payer, { CAPTURE: allowed, CANCEL: allowed, REFUND: payeeOnly }],
    ['the receiver', receiver, { CAPTURE: payerOnly, CANCEL: payerOnly, REFUND: allowed }],
    ['another user', stranger, { CAPTURE: notFound(), CANCEL: notFound(), REFUND: notFound() }],
    ['an operator', operator, { CAPTURE: allowed, CANCEL: allowed, REFUND: allowed }],
    ['an auditor', READERS[1] as Caller, { CAPTURE: payerOnly, CANCEL: payerOnly, REFUND: payeeOnly }],
    ['an operator who pays', payingOperator, { CAPTURE: allowed, CANCEL: allowed, REFUND: ownAccount() }],
    [
      'an operator who receives',
      receivingOperator,
      { CAPTURE: ownAccount(), CANCEL: ownAccount(), REFUND: allowed },
    ],
  ])('by %s', (_, by, expected) => {
    for (const [kind, refusal] of Object.entries(expected)) {
      const take = () => requireAction(by, payment, kind as RequestedKind);
      if (refusal) expect(take, kind).toThrow(refusal);
      else expect(take, kind).not.toThrow();
    }
  });

  it('is taken by the payee of a payment that its payee captures', () => {
    const byPayee = { ...payment, captureBy: 'PAYEE' as const };
    for (const kind of ['CAPTURE', 'CANCEL'] as const) {
      expect(() => requireAction(receiver, byPayee, kind)).not.toThrow();
      expect(() => requireAction(payer, byPayee, kind)).toThrow(payeeOnly);
      expect(() => requireAction(stranger, byPayee, kind)).toThrow(notFound());
      expect(() => requireAction(receivingOperator, byPayee, kind)).not.toThrow();
      expect(() => requireAction(payingOperator, byPayee, kind)).toThrow(ownAccount());
    }
    expect(() => requireAction(receiver, byPayee, 'REFUND')).not.toThrow();
  });

  it.each<PaymentKind>(['DEPOSIT', 'WITHDRAWAL'])('of a %s is refunded only by an operator', (kind) => {
    const external = { ...payment, kind, toOwnerId: receiver.id };
    expect(() => requireAction(receiver, external, 'REFUND')).toThrow(operatorOnly);
    expect(() => requireAction(operator, external, 'REFUND')).not.toThrow();
    expect(() => requireAction(receivingOperator, external, 'REFUND')).toThrow(ownAccount());
  });

  it('of a payment that does not exist is refused like one of others', () => {
    expect(() => requireAction(operator, undefined, 'CAPTURE')).toThrow(notFound());
  });
});

it('refusals have their own reasons', () => {
  const errors = [notFound(), ownAccount(), operationNotFound('CAPTURE'), operationNotFound('REFUND')];
  const said = errors.map(({ reason, message }) => `${reason}: ${message}`);
  expect(said).toEqual([
    'PAYMENT_NOT_FOUND: There is no such payment.',
    'OWN_ACCOUNT: An operator may not do this with an account of its own. Another operator must do it.',
    'CAPTURE_NOT_FOUND: There is no such capture.',
    'REFUND_NOT_FOUND: There is no such refund.',
  ]);
});
