/** Requests of payments for unit tests of decisions. */
import type { PaymentRequest } from './step-request.ts';

/** Alice pays Bob EUR 1.00. */
export const paymentRequest = (change: Partial<PaymentRequest> = {}): PaymentRequest => ({
  kind: 'AUTHORIZE',
  paymentId: 'pay_1',
  operationId: 'pay_1',
  fromAccount: 'alice',
  toAccount: 'bob',
  amount: 100n,
  currency: 'EUR',
  captureMode: 'AUTOMATIC',
  callerId: 'usr_alice',
  callerRoles: ['customer'],
  holdSeconds: 0,
  holdExpiresAt: undefined,
  description: '',
  reference: '',
  metadata: {},
  mandateId: undefined,
  ...change,
});
