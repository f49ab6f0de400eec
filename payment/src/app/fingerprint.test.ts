import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Order } from '../domain/order.ts';
import { fingerprintOf } from './fingerprint.ts';

const orders: fc.Arbitrary<Order> = fc.record({
  kind: fc.constant('PAYMENT' as const),
  fromAccount: fc.string(),
  toAccount: fc.string(),
  amountMinor: fc.bigInt({ min: 1n, max: 3n }),
  currency: fc.constantFrom('EUR', 'USD'),
  captureMode: fc.constantFrom('AUTOMATIC' as const, 'MANUAL' as const),
  description: fc.string(),
  reference: fc.string(),
  metadata: fc.dictionary(fc.string({ minLength: 1 }), fc.string()),
  holdSeconds: fc.nat(2),
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
