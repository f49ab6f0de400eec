import { describe, expect, it } from 'vitest';
import { PaymentError } from './errors.ts';
import type { Order } from './order.ts';
import {
  asDecided,
  type Decision,
  decide,
  decidedStep,
  initiate,
  isOwnDealing,
  isPayerUnknown,
  latest,
  type Movement,
  PAYMENT_STATES,
  type Payment,
  requireStep,
  type Step,
} from './payment.ts';

const order: Order = {
  kind: 'PAYMENT',
  fromAccount: 'acct_a',
  toAccount: 'acct_b',
  amountMinor: 700n,
  currency: 'EUR',
  captureMode: 'AUTOMATIC',
  captureBy: 'PAYER',
  description: '',
  reference: '',
  metadata: {},
  holdSeconds: 0,
  mandateId: undefined,
};
const origin = {
  caller: { id: 'usr_1', roles: ['customer'] },
  requestId: 'k',
  traceparent: '',
} as const;
const begun = new Date('2026-01-01T00:00:00Z');
const later = new Date('2026-01-01T00:00:01Z');

const start = (given: Partial<Order> = {}) =>
  initiate({ ...order, ...given }, { id: 'pay_1', origin, now: begun, holdMs: 1_000 }).payment;

const moved = (kind: Movement['kind']): Movement[] => [
  { kind, fromAccount: 'acct_a', toAccount: 'acct_b', amountMinor: 700n },
];
const approved = (kind: Movement['kind']): Decision => ({
  eventId: 'evt_1',
  decidedAt: later,
  failure: undefined,
  movements: moved(kind),
  fromOwnerId: 'usr_1',
  toOwnerId: 'usr_2',
  record: Buffer.from('approved'),
});
const declined: Decision = {
  ...approved('HOLD'),
  failure: { code: 'INSUFFICIENT_BALANCE', message: 'Not enough.' },
  movements: [],
};

describe('a payment', () => {
  it('begins INITIATED, with nothing moved, its caller as payer, and no receiver', () => {
    expect(start()).toMatchObject({
      state: 'INITIATED',
      version: 1n,
      capturedMinor: 0n,
      fromOwnerId: 'usr_1',
      toOwnerId: undefined,
      holdExpiresAt: undefined,
    });
  });

  it('of an operator has no payer yet', () => {
    const operator = { ...origin, caller: { id: 'usr_9', roles: ['customer', 'operator'] as const } };
    const { payment } = initiate(order, { id: 'pay_1', origin: operator, now: begun, holdMs: 1 });
    expect(payment.fromOwnerId).toBeUndefined();
  });

  it('that is captured automatically completes in one step, with the transfer as its only movement', () => {
    const { payment, event } = decide(start(), approved('TRANSFER'));
    expect(payment).toMatchObject({ state: 'COMPLETED', capturedMinor: 700n, version: 2n, updatedAt: later });
    expect(payment).toMatchObject({ fromOwnerId: 'usr_1', toOwnerId: 'usr_2', failure: undefined });
    expect(event).toMatchObject({
      type: 'payment.completed',
      occurredAt: later,
      movements: moved('TRANSFER'),
    });
  });

  it('that is captured by hand holds the money until a fixed time', () => {
    const { payment, event } = decide(start({ captureMode: 'MANUAL' }), approved('HOLD'));
    expect(payment).toMatchObject({ state: 'AUTHORIZED', capturedMinor: 0n });
    expect(payment.holdExpiresAt).toEqual(new Date('2026-01-01T00:00:01Z'));
    expect(event).toMatchObject({ type: 'payment.authorized', movements: moved('HOLD') });
  });

  it('with its own hold time is held that long', () => {
    const { holdExpiresAt } = start({ captureMode: 'MANUAL', holdSeconds: 5 });
    expect(holdExpiresAt).toEqual(new Date('2026-01-01T00:00:05Z'));
  });

  it('that is declined fails with the reason, and does not keep its receiver', () => {
    const { payment, event } = decide(start(), declined);
    expect(payment).toMatchObject({ state: 'FAILED', failure: declined.failure, capturedMinor: 0n });
    expect(payment).toMatchObject({ fromOwnerId: 'usr_1', toOwnerId: undefined });
    expect(event).toMatchObject({ type: 'payment.failed', movements: [] });
  });

  it.each(PAYMENT_STATES.filter((state) => state !== 'INITIATED'))(
    'that is %s is not decided again',
    (state) => {
      const payment: Payment = { ...start(), state };
      for (const decision of [approved('TRANSFER'), declined]) {
        expect(() => decide(payment, decision)).toThrow(PaymentError);
        expect(() => decide(payment, decision)).toThrow(
          expect.objectContaining({ reason: 'INVALID_STATE', metadata: expect.objectContaining({ state }) }),
        );
      }
    },
  );
});

it('the event of its start has its trace, and moves nothing', () => {
  const { event } = initiate(order, {
    id: 'pay_1',
    origin: { ...origin, traceparent: '00-a' },
    now: begun,
    holdMs: 1,
  });
  expect(event).toEqual({ type: 'payment.initiated', occurredAt: begun, movements: [], traceparent: '00-a' });
});

/** The states that allow each step, and how the refusal in another state names it. */
const STEPS: Record<Step, [string, ...Payment['state'][]]> = {
  authorize: ['be authorized', 'INITIATED'],
  complete: ['be completed', 'INITIATED'],
  fail: ['fail', 'INITIATED'],
  capture: ['be captured', 'AUTHORIZED', 'PARTIALLY_CAPTURED'],
  cancel: ['be cancelled', 'AUTHORIZED', 'PARTIALLY_CAPTURED'],
  expire: ['expire', 'AUTHORIZED', 'PARTIALLY_CAPTURED'],
  refund: ['be refunded', 'PARTIALLY_CAPTURED', 'COMPLETED', 'PARTIALLY_REFUNDED'],
};

describe.each(Object.entries(STEPS))('the step %s', (step, [verb, ...states]) => {
  it.each(PAYMENT_STATES)('of a payment that is %s', (state) => {
    const take = () => requireStep({ ...start(), state }, step as Step);
    if (states.includes(state)) return expect(take).not.toThrow();
    const can = (other: Step) => STEPS[other].includes(state);
    const allowed = (['capture', 'cancel', 'refund'] as const).filter(can).join(',');
    expect(take).toThrow(
      new PaymentError('INVALID_STATE', `A payment that is ${state} cannot ${verb}.`, {
        metadata: { state, allowed_actions: allowed },
      }),
    );
  });
});

it('a time never goes back', () => {
  expect([latest(begun, later), latest(later, begun), latest(later, later)]).toEqual([later, later, later]);
});

describe('the first response', () => {
  it.each<[string, Partial<Order>, Decision, string]>([
    ['a payment', {}, approved('TRANSFER'), 'payment.completed COMPLETED'],
    ['a hold', { captureMode: 'MANUAL' }, approved('HOLD'), 'payment.authorized AUTHORIZED'],
    ['a decline', {}, declined, 'payment.failed FAILED'],
    ['a declined hold', { captureMode: 'MANUAL' }, declined, 'payment.failed FAILED'],
  ])('to %s is found again after later steps', (_, given, decision, step) => {
    const { payment } = decide(start(given), decision);
    const afterwards: Payment = {
      ...payment,
      state: 'PARTIALLY_REFUNDED',
      capturedMinor: 600n,
      releasedMinor: 100n,
      refundedMinor: 1n,
      version: 7n,
      updatedAt: new Date('2026-01-02T00:00:00Z'),
      endedAt: new Date('2026-01-02T00:00:00Z'),
    };
    expect(asDecided(afterwards, later)).toEqual(payment);
    const { type, state } = decidedStep(afterwards);
    expect(`${type} ${state}`).toBe(step);
  });
});

it.each([
  [undefined, false, false],
  ['INSUFFICIENT_BALANCE', false, false],
  ['FROM_ACCOUNT_NOT_FOUND', true, false],
  ['OWN_ACCOUNT', false, true],
])('the failure %s: unknown payer %s, own dealing %s', (code, isUnknown, isOwn) => {
  const payment: Payment = { ...start(), failure: code === undefined ? undefined : { code, message: '' } };
  expect([isPayerUnknown(payment), isOwnDealing(payment)]).toEqual([isUnknown, isOwn]);
});
