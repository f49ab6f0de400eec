/** What the fakes answer with where it does not matter. */
import { CaptureMode, Outcome } from '@payflowx/proto/authorization';
import { type CreatePaymentRequest, type Payment, PaymentKind, PaymentState } from '@payflowx/proto/payment';

const UUID = '0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3';

export const ALICE = `acct_${UUID}a`;
export const BOB = `acct_${UUID}b`;
export const PAYMENT_ID = `pay_${UUID}c`;
export const TRANSACTION_ID = `txn_${UUID}d`;
export const USER_ID = `usr_${UUID}e`;
export const AT = new Date('2026-01-31T12:00:00.000Z');

export const newPayment = { from_account: ALICE, to_account: BOB, amount: 1250, currency: 'EUR' };

export function paymentOf(request: Partial<CreatePaymentRequest>, changes: Partial<Payment> = {}): Payment {
  return {
    id: PAYMENT_ID,
    kind: PaymentKind.PAYMENT,
    state: PaymentState.COMPLETED,
    fromAccount: request.fromAccount ?? ALICE,
    toAccount: request.toAccount ?? BOB,
    amountMinor: request.amountMinor ?? 1250n,
    currency: request.currency ?? 'EUR',
    capturedMinor: request.amountMinor ?? 1250n,
    refundedMinor: 0n,
    captureMode: CaptureMode.AUTOMATIC,
    description: request.description ?? '',
    reference: request.reference ?? '',
    metadata: request.metadata ?? {},
    failure: undefined,
    decision: {
      outcome: Outcome.APPROVED,
      code: '',
      message: '',
      limit: undefined,
      checks: [{ name: 'balance', passed: true, inputs: { available: '5000' } }],
      movements: [],
      fromOwnerId: USER_ID,
      toOwnerId: USER_ID,
      decidedAt: AT,
    },
    expiresAt: undefined,
    version: 2n,
    createdAt: AT,
    updatedAt: AT,
    ...changes,
  };
}

export function declinedPayment(code: string): Payment {
  const approved = paymentOf({});
  return {
    ...approved,
    state: PaymentState.FAILED,
    capturedMinor: 0n,
    failure: { code, message: 'The day’s limit is used up.' },
    decision: approved.decision && {
      ...approved.decision,
      outcome: Outcome.DECLINED,
      code,
      message: 'The day’s limit is used up.',
      limit: { limit: 10_000n, used: 9_500n, resetsAt: AT },
    },
  };
}

/** Answers each item of a batch with the payment it asks for. */
// biome-ignore lint/suspicious/noExplicitAny: the fake sees decoded messages of the contract.
export const completeAll = ({ items }: any) => ({
  results: items.map((item: { request: CreatePaymentRequest }) => ({
    result: { $case: 'response', value: { payment: paymentOf(item.request), replayed: false } },
  })),
});
