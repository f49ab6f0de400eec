import { describe, expect, it } from 'vitest';
import { PaymentError } from './errors.ts';
import {
  type ExternalRequest,
  type PaymentRequest,
  toDepositOrder,
  toPaymentOrder,
  toSimulatedOrder,
  toWithdrawalOrder,
} from './order.ts';

const A = 'acct_0198c5b2-0000-7000-8000-000000000001';
const B = 'acct_0198c5b2-0000-7000-8000-000000000002';

const payment: PaymentRequest = {
  requestId: 'key-1',
  fromAccount: A,
  toAccount: B,
  amountMinor: 1n,
  currency: 'EUR',
  captureMode: 'AUTOMATIC',
  captureBy: 'PAYER',
  description: '',
  reference: '',
  metadata: {},
  holdSeconds: 0,
  mandateId: '',
};
const external: ExternalRequest = {
  requestId: 'key-1',
  accountId: A,
  amountMinor: 1n,
  currency: 'EUR',
  reference: '',
};

function problemOf(work: () => unknown): PaymentError {
  try {
    work();
  } catch (error) {
    if (error instanceof PaymentError) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

it.each<[string, Partial<PaymentRequest>, string]>([
  ['of an unknown side', { captureBy: undefined, captureMode: 'MANUAL' }, 'must be PAYER or PAYEE'],
  [
    'by the payee, of a payment that captures itself',
    { captureBy: 'PAYEE' },
    'must be PAYER for an automatic capture, which nobody captures',
  ],
])('a capture %s is refused', (_, changes, description) => {
  expect(problemOf(() => toPaymentOrder({ ...payment, ...changes })).violations).toEqual([
    { field: 'capture_by', description },
  ]);
});

it('the payee may capture a payment that is held', () => {
  const held = { captureBy: 'PAYEE', captureMode: 'MANUAL' } as const;
  expect(toPaymentOrder({ ...payment, ...held })).toMatchObject(held);
});

it('a request of an unknown capture mode is refused for that alone', () => {
  const { message, violations } = problemOf(() => toPaymentOrder({ ...payment, captureMode: undefined }));
  expect(message).toBe('The request is not valid.');
  expect(violations).toEqual([{ field: 'capture_mode', description: 'must be AUTOMATIC or MANUAL' }]);
});

const pairs = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));

describe('a request for a payment', () => {
  it.each<[string, Partial<PaymentRequest>, string]>([
    ['the amount 0', { amountMinor: 0n }, 'amount_minor'],
    ['a negative amount', { amountMinor: -1n }, 'amount_minor'],
    ['the amount 2^53', { amountMinor: 2n ** 53n }, 'amount_minor'],
    ['a currency in lower case', { currency: 'eur' }, 'currency'],
    ['a currency of four letters', { currency: 'EURO' }, 'currency'],
    ['a negative hold', { captureMode: 'MANUAL', holdSeconds: -1 }, 'hold_seconds'],
    ['a hold of more than 30 days', { captureMode: 'MANUAL', holdSeconds: 2_592_001 }, 'hold_seconds'],
    ['a hold time with automatic capture', { holdSeconds: 60 }, 'hold_seconds'],
    ['no currency', { currency: '' }, 'currency'],
    ['no paying account', { fromAccount: '' }, 'from_account'],
    ['the external account as payer', { fromAccount: 'external:EUR' }, 'from_account'],
    ['the external account as receiver', { toAccount: 'external:EUR' }, 'to_account'],
    ['an account that is no id', { toAccount: 'acct_1' }, 'to_account'],
    ['an id in upper case', { toAccount: B.toUpperCase() }, 'to_account'],
    ['an unknown capture mode', { captureMode: undefined }, 'capture_mode'],
    ['a key with a space', { requestId: 'a key' }, 'request_id'],
    ['a key with a letter beyond ASCII', { requestId: 'schlüssel' }, 'request_id'],
    ['a key of 256 characters', { requestId: 'k'.repeat(256) }, 'request_id'],
    ['a description of 501 characters', { description: 'd'.repeat(501) }, 'description'],
    ['a description with NUL', { description: 'a\0b' }, 'description'],
    ['a reference of 101 characters', { reference: 'r'.repeat(101) }, 'reference'],
    ['21 pairs of metadata', { metadata: pairs(21) }, 'metadata'],
    ['an empty metadata key', { metadata: { '': 'v' } }, 'metadata'],
    ['a metadata key of 41 characters', { metadata: { ['k'.repeat(41)]: 'v' } }, 'metadata'],
    ['a metadata value of 501 characters', { metadata: { note: 'v'.repeat(501) } }, 'metadata.note'],
  ])('is refused for %s', (_, given, field) => {
    const problem = problemOf(() => toPaymentOrder({ ...payment, ...given }));
    expect(problem.reason).toBe('INVALID_ARGUMENT');
    expect(problem.violations?.map((violation) => violation.field)).toEqual([field]);
  });

  it.each<[Partial<PaymentRequest>, string]>([
    [{ toAccount: '' }, 'must be acct_ and a UUID'],
    [{ amountMinor: 0n }, 'must be from 1 to 9007199254740991'],
    [{ currency: 'eur' }, 'must be the ISO 4217 code of a currency in use'],
    [{ captureMode: undefined }, 'must be AUTOMATIC or MANUAL'],
    [{ captureMode: 'MANUAL', holdSeconds: -1 }, 'must be from 1 to 2592000, or 0 for the default'],
    [{ holdSeconds: 1 }, 'must be 0 for an automatic capture, which holds no money'],
    [{ requestId: ' k' }, 'must be 1 to 255 visible ASCII characters'],
    [{ metadata: pairs(21) }, 'must have at most 20 pairs'],
    [{ metadata: { '': 'v' } }, 'keys must be 1 to 40 characters, none of them NUL'],
    [
      { metadata: { ['k'.repeat(41)]: 'v'.repeat(501) } },
      'keys must be 1 to 40 characters, none of them NUL',
    ],
  ])('says how to write it: %o', (given, description) => {
    const problem = problemOf(() => toPaymentOrder({ ...payment, ...given }));
    expect(problem.violations?.map((violation) => violation.description)).toEqual([description]);
  });

  it('that is only simulated needs no key, and is checked like any other', () => {
    expect(toSimulatedOrder({ ...payment, requestId: '' })).toEqual(toPaymentOrder(payment));
    expect(problemOf(() => toSimulatedOrder({ ...payment, amountMinor: 0n })).reason).toBe(
      'INVALID_ARGUMENT',
    );
  });

  it('reports everything that is wrong at once', () => {
    const problem = problemOf(() =>
      toPaymentOrder({ ...payment, amountMinor: 0n, currency: '', toAccount: '' }),
    );
    expect(problem.violations?.map(({ field }) => field)).toEqual(['to_account', 'amount_minor', 'currency']);
  });

  it('without a key, or from an account to itself, has a reason of its own', () => {
    const missing = 'A request that moves money needs an idempotency key.';
    expect(problemOf(() => toPaymentOrder({ ...payment, requestId: '' }))).toEqual(
      new PaymentError('IDEMPOTENCY_KEY_REQUIRED', missing),
    );
    expect(problemOf(() => toPaymentOrder({ ...payment, toAccount: A }))).toEqual(
      new PaymentError('SAME_ACCOUNT', 'An account cannot pay itself.'),
    );
  });

  it('is accepted at every limit, counting characters and not code units', () => {
    const widest: PaymentRequest = {
      ...payment,
      requestId: '~'.repeat(255),
      amountMinor: 2n ** 53n - 1n,
      captureMode: 'MANUAL',
      holdSeconds: 2_592_000,
      description: '💶'.repeat(500),
      reference: 'r'.repeat(100),
      metadata: { ...pairs(19), ['k'.repeat(40)]: 'v'.repeat(500) },
    };
    expect(toPaymentOrder(widest)).toMatchObject({ kind: 'PAYMENT', captureMode: 'MANUAL' });
  });
});

describe('a request for a deposit or a withdrawal', () => {
  it('moves money from and to the external account of its currency', () => {
    expect(toDepositOrder(external)).toEqual({
      ...toPaymentOrder(payment),
      kind: 'DEPOSIT',
      fromAccount: 'external:EUR',
      toAccount: A,
    });
    expect(toWithdrawalOrder(external)).toMatchObject({
      kind: 'WITHDRAWAL',
      fromAccount: A,
      toAccount: 'external:EUR',
    });
  });

  it('is checked like any other', () => {
    const problem = problemOf(() =>
      toDepositOrder({ ...external, accountId: 'external:EUR', amountMinor: 0n }),
    );
    expect(problem.violations?.map(({ field }) => field)).toEqual(['account_id', 'amount_minor']);
    const long = problemOf(() => toWithdrawalOrder({ ...external, reference: 'r'.repeat(101) }));
    expect(long.violations?.map(({ field }) => field)).toEqual(['reference']);
    expect(problemOf(() => toWithdrawalOrder({ ...external, requestId: '' })).reason).toBe(
      'IDEMPOTENCY_KEY_REQUIRED',
    );
  });
});
