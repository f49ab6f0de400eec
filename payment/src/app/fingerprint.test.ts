import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NO_NOTES, type Terms } from '../domain/operation.ts';
import type { Order } from '../domain/order.ts';
import { fingerprintOf, fingerprintOfStep } from './fingerprint.ts';

const orders: fc.Arbitrary<Order> = fc.record({
  kind: fc.constant('PAYMENT' as const),
  fromAccount: fc.string(),
  toAccount: fc.string(),
  amountMinor: fc.bigInt({ min: 1n, max: 3n }),
  currency: fc.constantFrom('EUR', 'USD'),
  captureBy: fc.constantFrom('PAYER' as const, 'PAYEE' as const),
  captureMode: fc.constantFrom('AUTOMATIC' as const, 'MANUAL' as const),
  description: fc.string(),
  reference: fc.string(),
  metadata: fc.dictionary(fc.string({ minLength: 1 }), fc.string()),
  holdSeconds: fc.nat(2),
  mandateId: fc.constantFrom(undefined, 'man_1', 'man_2'),
});

it('is equal for equal requests, in any order of the metadata', () => {
  fc.assert(
    fc.property(orders, (order) => {
      const reversed = Object.fromEntries(Object.entries(order.metadata).reverse());
      const again = fingerprintOf('CreatePayment', { ...order, metadata: reversed });
      expect(fingerprintOf('CreatePayment', order)).toEqual(again);
      expect(fingerprintOf('CreateDeposit', order)).not.toEqual(again);
    }),
  );
});

it('differs if text moves from one field to the next', () => {
  const order = fc.sample(orders, 1)[0] as Order;
  const one = fingerprintOf('CreatePayment', { ...order, description: 'ab', reference: 'c' });
  expect(fingerprintOf('CreatePayment', { ...order, description: 'a', reference: 'bc' })).not.toEqual(one);
});

it('of a payment that its payer captures is that of earlier versions, and differs if its payee captures', () => {
  const order: Order = {
    kind: 'PAYMENT',
    fromAccount: 'acct_1',
    toAccount: 'acct_2',
    amountMinor: 1_250n,
    currency: 'EUR',
    captureMode: 'MANUAL',
    captureBy: 'PAYER',
    description: 'Lunch',
    reference: 'order-7',
    metadata: { table: '4' },
    holdSeconds: 60,
    mandateId: undefined,
  };
  const payer = fingerprintOf('CreatePayment', order).toString('hex');
  expect(payer).toBe('17e1c0336369b9a05d1d4bf21b0dd488171686259cf0ea21379bba8ac8501d3c');
  const payee = fingerprintOf('CreatePayment', { ...order, captureBy: 'PAYEE' }).toString('hex');
  expect(payee).not.toBe(payer);
  const collected = fingerprintOf('CreatePayment', { ...order, mandateId: 'man_1' }).toString('hex');
  expect([payer, payee]).not.toContain(collected);
});

const order: Order = {
  kind: 'PAYMENT',
  fromAccount: 'acct_a',
  toAccount: 'acct_b',
  amountMinor: 100n,
  currency: 'EUR',
  captureMode: 'MANUAL',
  captureBy: 'PAYER',
  description: 'Lunch',
  reference: 'r-1',
  metadata: { table: '4', guest: '' },
  holdSeconds: 0,
  mandateId: undefined,
};

it.each<Partial<Order>>([
  { kind: 'DEPOSIT' },
  { fromAccount: 'acct_c' },
  { toAccount: 'acct_c' },
  { amountMinor: 101n },
  { currency: 'USD' },
  { captureMode: 'AUTOMATIC' },
  { holdSeconds: 1 },
  { captureBy: 'PAYEE' },
  { description: '' },
  { reference: 'r-2' },
  { metadata: { table: '5', guest: '' } },
  { metadata: { tables: '4', guest: '' } },
  { metadata: { table: '4' } },
  { metadata: {} },
])('differs if a payment has %o', (change) => {
  const fingerprint = fingerprintOf('CreatePayment', order);
  expect(fingerprint).toHaveLength(32);
  expect(fingerprintOf('CreatePayment', { ...order, ...change })).not.toEqual(fingerprint);
});

it('differs for holds of different times', () => {
  const [one, two] = [1, 2].map((holdSeconds) => fingerprintOf('CreatePayment', { ...order, holdSeconds }));
  expect(one).not.toEqual(two);
});

it('stays the same over versions: keys that were stored before an upgrade still match', () => {
  const hex = (fingerprint: Buffer) => fingerprint.toString('hex').slice(0, 16);
  expect(hex(fingerprintOf('CreatePayment', order))).toMatchInlineSnapshot(`"d44f2c6ea1efa5ce"`);
  expect(hex(fingerprintOf('CreatePayment', { ...order, holdSeconds: 60 }))).toMatchInlineSnapshot(
    `"c7d26af04b310f4d"`,
  );
  expect(hex(fingerprintOfStep('CreateRefund', 'pay_1', refund))).toMatchInlineSnapshot(`"3ac08f7804c26d21"`);
  expect(
    hex(fingerprintOfStep('CapturePayment', 'pay_1', { ...refund, amountMinor: undefined })),
  ).toMatchInlineSnapshot(`"8cace6e729471603"`);
});

const refund: Terms = { kind: 'REFUND', amountMinor: 5n, final: false, reason: 'broken', notes: NO_NOTES };

it.each<[string, Parameters<typeof fingerprintOfStep>]>([
  ['RPC', ['CapturePayment', 'pay_1', refund]],
  ['payment', ['CreateRefund', 'pay_2', refund]],
  ['amount', ['CreateRefund', 'pay_1', { ...refund, amountMinor: 6n }]],
  ['amount, which is everything', ['CreateRefund', 'pay_1', { ...refund, amountMinor: undefined }]],
  ['end', ['CreateRefund', 'pay_1', { ...refund, final: true }]],
  ['reason', ['CreateRefund', 'pay_1', { ...refund, reason: 'late' }]],
  ['reference', ['CreateRefund', 'pay_1', { ...refund, notes: { reference: 'r-1', metadata: {} } }]],
  ['metadata', ['CreateRefund', 'pay_1', { ...refund, notes: { reference: '', metadata: { till: '7' } } }]],
])('of a step differs by its %s', (_, other) => {
  const fingerprint = fingerprintOfStep('CreateRefund', 'pay_1', refund);
  expect(fingerprintOfStep('CreateRefund', 'pay_1', { ...refund })).toEqual(fingerprint);
  expect(fingerprintOfStep(...other)).not.toEqual(fingerprint);
});

it('of a step differs by each of its notes', () => {
  const withNotes = (reference: string, metadata: Record<string, string>) =>
    fingerprintOfStep('CreateRefund', 'pay_1', { ...refund, notes: { reference, metadata } }).toString('hex');
  const all = [
    withNotes('r-1', { till: '7' }),
    withNotes('r-2', { till: '7' }),
    withNotes('r-1', { till: '8' }),
    withNotes('r-1', { desk: '7' }),
    withNotes('r-1', {}),
    withNotes('', { till: '7' }),
    withNotes('', {}),
  ];
  expect(new Set(all).size).toBe(all.length);
});

it('of a payment that its payee captures differs by its capture mode and its hold', () => {
  const byPayee = (changes: Partial<Order>) =>
    fingerprintOf('CreatePayment', { ...order, captureBy: 'PAYEE', ...changes }).toString('hex');
  const all = [byPayee({}), byPayee({ captureMode: 'AUTOMATIC' }), byPayee({ holdSeconds: 5 })];
  expect(new Set(all).size).toBe(all.length);
});
