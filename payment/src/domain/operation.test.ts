import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PaymentError } from './errors.ts';
import {
  begin,
  beginExpiry,
  heldMinor,
  NO_NOTES,
  type Operation,
  refusalOf,
  settle,
  type Terms,
} from './operation.ts';
import {
  type Decision,
  decide,
  initiate,
  type Movement,
  type Payment,
  type PaymentState,
} from './payment.ts';

/** `make mutate` draws fewer cases. */
const { numRuns: USUAL_RUNS = 100 } = fc.readConfigureGlobal();

const now = new Date('2026-01-01T00:00:00Z');
const payer = { caller: { id: 'usr_1', roles: ['customer'] }, requestId: 'k', traceparent: '' } as const;
const origin = { callerId: 'usr_1', requestId: 'k', traceparent: '' };

function authorizedPayment(amountMinor = 1_000n): Payment {
  const way = { fromAccount: 'acct_a', toAccount: 'acct_b' };
  const { payment } = initiate(
    {
      ...way,
      kind: 'PAYMENT',
      amountMinor,
      currency: 'EUR',
      captureMode: 'MANUAL',
      captureBy: 'PAYER',
      description: '',
      reference: '',
      metadata: {},
      holdSeconds: 0,
      mandateId: undefined,
    },
    { id: 'pay_1', origin: payer, now, holdMs: 1_000 },
  );
  const held = approved([{ kind: 'HOLD', ...way, amountMinor }]);
  return decide(payment, { ...held, fromOwnerId: 'usr_1', toOwnerId: 'usr_2' }).payment;
}

function approved(movements: readonly Movement[]): Decision {
  return {
    eventId: 'evt_1',
    decidedAt: now,
    failure: undefined,
    movements,
    fromOwnerId: undefined,
    toOwnerId: undefined,
    record: Buffer.of(),
  };
}
const declined = (code: string): Decision => ({ ...approved([]), failure: { code, message: 'No.' } });

/** Authorization's response to a capture: the transfer, and the release of everything that left the hold. */
const captured = (amountMinor: bigint, leftMinor = amountMinor): Decision =>
  approved([move('TRANSFER', amountMinor), move('RELEASE', leftMinor)]);
const released = (amountMinor: bigint): Decision => approved([move('RELEASE', amountMinor)]);

function move(kind: Movement['kind'], amountMinor: bigint): Movement {
  return { kind, fromAccount: 'acct_a', toAccount: 'acct_b', amountMinor };
}

const capture: Terms = { kind: 'CAPTURE', amountMinor: undefined, final: true, reason: '', notes: NO_NOTES };
const cancel: Terms = { ...capture, kind: 'CANCEL', final: false };
const refund: Terms = { ...capture, kind: 'REFUND', final: false };
const part = (terms: Terms, amountMinor: bigint, final = false): Terms => ({ ...terms, amountMinor, final });

let count = 0;
const start = () => {
  count += 1;
  return { id: `op_${count}`, origin, now };
};
const ask = (payment: Payment, terms: Terms, pending: Operation[] = []) =>
  begin(payment, pending, terms, start());

/** Begins and settles an operation. */
function take(payment: Payment, terms: Terms, decision: Decision) {
  const settlement = settle(payment, ask(payment, terms), decision);
  if (!settlement) throw new Error('The operation waits.');
  return settlement;
}

const completed = (capturedMinor = 1_000n) =>
  take(authorizedPayment(), part(capture, capturedMinor, true), captured(capturedMinor, 1_000n)).payment;

it('a payment ends with the step that empties its hold, and its refunds do not move that time', () => {
  const later = new Date(now.getTime() + 1);
  const at = (decision: Decision): Decision => ({ ...decision, decidedAt: later });
  const partial = take(authorizedPayment(), part(capture, 400n), captured(400n)).payment;
  expect(partial.endedAt).toBeUndefined();
  expect(take(authorizedPayment(), cancel, at(released(1_000n))).payment.endedAt).toEqual(later);
  const ended = take(partial, part(capture, 600n), captured(600n)).payment;
  expect(ended.endedAt).toEqual(now);
  expect(take(ended, part(refund, 1n), at(approved([move('TRANSFER', 1n)]))).payment.endedAt).toEqual(now);
  // A refund while money is still held is not the end either.
  expect(
    take(partial, part(refund, 1n), at(approved([move('TRANSFER', 1n)]))).payment.endedAt,
  ).toBeUndefined();
});

describe('a capture', () => {
  it('of the whole hold completes the payment', () => {
    const { payment, change } = take(authorizedPayment(), capture, captured(1_000n));
    expect(payment).toMatchObject({ state: 'COMPLETED', capturedMinor: 1_000n, version: 3n });
    expect(change?.event.type).toBe('payment.completed');
  });

  it('of a part leaves the rest held; the last part completes the payment', () => {
    const first = take(authorizedPayment(), part(capture, 400n), captured(400n));
    expect(first.payment).toMatchObject({ state: 'PARTIALLY_CAPTURED', capturedMinor: 400n });
    expect(first.change?.event.type).toBe('payment.captured');
    const second = take(first.payment, part(capture, 600n), captured(600n));
    expect(second.payment).toMatchObject({ state: 'COMPLETED', capturedMinor: 1_000n, releasedMinor: 0n });
  });

  it('that is final completes the payment with less, and releases the rest', () => {
    const { payment, change } = take(authorizedPayment(), part(capture, 400n, true), captured(400n, 1_000n));
    expect(payment).toMatchObject({ state: 'COMPLETED', capturedMinor: 400n, releasedMinor: 600n });
    expect(change?.event.movements.map(({ kind }) => kind)).toEqual(['TRANSFER', 'RELEASE']);
  });

  it('cannot use an amount that another pending capture reserves', () => {
    const payment = authorizedPayment();
    const pending = [ask(payment, part(capture, 700n))];
    expect(ask(payment, capture, pending).amountMinor).toBe(300n);
    expect(() => ask(payment, part(capture, 301n), pending)).toThrow(
      expect.objectContaining({
        reason: 'CAPTURE_EXCEEDS_AUTHORIZED',
        metadata: { available_minor: '300' },
      }),
    );
    const none = [...pending, ask(payment, capture, pending)];
    expect(() => ask(payment, capture, none)).toThrow(
      expect.objectContaining({ reason: 'CAPTURE_EXCEEDS_AUTHORIZED' }),
    );
  });

  it('that was decided first and stored last completes a payment that a final capture left open', () => {
    const payment = authorizedPayment();
    const partial = ask(payment, part(capture, 300n));
    const final = ask(payment, part(capture, 200n, true), [partial]);
    const first = settle(payment, final, captured(200n, 700n));
    expect(first).toMatchObject({
      payment: { state: 'PARTIALLY_CAPTURED', capturedMinor: 200n, releasedMinor: 500n },
      change: { event: { type: 'payment.captured' } },
    });
    const second = settle(first?.payment as Payment, partial, captured(300n));
    expect(second).toMatchObject({
      payment: { state: 'COMPLETED', capturedMinor: 500n, releasedMinor: 500n },
      change: { event: { type: 'payment.completed' } },
    });
  });

  it('that lost to a cancel waits until the cancel is stored, and then reports its state', () => {
    const payment = authorizedPayment();
    const lost = ask(payment, capture);
    expect(settle(payment, lost, declined('HOLD_NOT_OPEN'))).toBeUndefined();
    const { payment: cancelled } = take(payment, cancel, released(1_000n));
    const outcome = settle(cancelled, lost, declined('HOLD_NOT_OPEN'));
    expect(outcome).toMatchObject({
      operation: { state: 'DECLINED' },
      payment: cancelled,
      change: undefined,
    });
    expect(refusalOf(cancelled, outcome?.operation as Operation)).toMatchObject({
      reason: 'INVALID_STATE',
      metadata: { state: 'CANCELLED', allowed_actions: '' },
    });
  });

  it('is dated by its decision, and the payment never goes back in time', () => {
    const payment = authorizedPayment();
    const earlier = new Date(payment.updatedAt.getTime() - 5);
    const decision = { ...captured(300n), decidedAt: earlier };
    const settlement = settle(payment, ask(payment, part(capture, 300n)), decision);
    expect(settlement?.change?.event.occurredAt).toEqual(earlier);
    expect(settlement?.operation.updatedAt).toEqual(earlier);
    expect(settlement?.payment.updatedAt).toEqual(payment.updatedAt);
  });

  it('does not wait forever for another operation’s outcome', () => {
    const payment = authorizedPayment();
    const outcome = settle(payment, { ...ask(payment, capture), attempts: 10 }, declined('HOLD_NOT_OPEN'));
    expect(refusalOf(payment, outcome?.operation as Operation)).toMatchObject({
      reason: 'INVALID_STATE',
      metadata: { decline_code: 'HOLD_NOT_OPEN' },
    });
  });

  it.each([
    ['TO_ACCOUNT_NOT_ACTIVE', 'TO_ACCOUNT_NOT_ACTIVE'],
    ['TO_ACCOUNT_CLOSED', 'TO_ACCOUNT_CLOSED'],
    ['CAPTURE_EXCEEDS_HOLD', 'CAPTURE_EXCEEDS_AUTHORIZED'],
  ])('that is declined with %s is refused with %s, and does not change the payment', (code, reason) => {
    const payment = authorizedPayment();
    const { operation, change } = take(payment, capture, declined(code));
    expect(refusalOf(payment, operation).reason).toBe(reason);
    expect(change).toBeUndefined();
  });
});

describe('an operation', () => {
  it.each([
    ['a capture of all', capture, true],
    ['a capture of a part', part(capture, 400n), false],
    ['a cancel', cancel, false],
  ])('that begins as %s takes the rest: %s', (_, terms, takesRest) => {
    expect(ask(authorizedPayment(), terms).takesRest).toBe(takesRest);
  });

  it('that begins has its terms, and no outcome', () => {
    const begun = start();
    expect(begin(completed(700n), [], { ...refund, reason: 'late' }, begun)).toEqual({
      id: begun.id,
      paymentId: 'pay_1',
      notes: NO_NOTES,
      kind: 'REFUND',
      state: 'PENDING',
      amountMinor: 700n,
      takesRest: true,
      final: false,
      reason: 'late',
      failure: undefined,
      decision: undefined,
      origin,
      attempts: 0,
      createdAt: now,
      updatedAt: now,
    });
    expect(beginExpiry(authorizedPayment(), start())).toMatchObject({
      kind: 'EXPIRE',
      amountMinor: 0n,
      takesRest: false,
      final: false,
      reason: '',
      notes: NO_NOTES,
    });
  });

  it('that competes with another kind has the whole amount', () => {
    const payment = completed(700n);
    const other = { ...ask(payment, refund), kind: 'CAPTURE' as const };
    expect(ask(payment, refund, [other]).amountMinor).toBe(700n);
  });

  it('beyond the amount is refused with what is available', () => {
    const metadata = { available_minor: '1000' };
    for (const amountMinor of [0n, 1_001n]) {
      expect(() => ask(authorizedPayment(), part(capture, amountMinor))).toThrow(
        new PaymentError('CAPTURE_EXCEEDS_AUTHORIZED', 'This exceeds what is left to capture.', { metadata }),
      );
      expect(() => ask(completed(), part(refund, amountMinor))).toThrow(
        new PaymentError('REFUND_EXCEEDS_CAPTURED', 'This exceeds what is left to refund.', { metadata }),
      );
    }
  });

  it('is ended with the decision, and only a refund names itself in its event', () => {
    const decision = { ...captured(1_000n), record: Buffer.from('decided') };
    const { operation, change } = take(authorizedPayment(), capture, decision);
    expect(operation).toMatchObject({ state: 'COMPLETED', decision: decision.record, failure: undefined });
    expect(change?.event).not.toHaveProperty('refundId');
    const failed = take(authorizedPayment(), capture, declined('TO_ACCOUNT_NOT_ACTIVE')).operation;
    expect(failed).toMatchObject({ state: 'DECLINED', failure: { code: 'TO_ACCOUNT_NOT_ACTIVE' } });
  });

  /** Declines that another operation explains. Its outcome is not stored while the payment is in one of these states. */
  it.each<[string, Operation['kind'], string, PaymentState[]]>([
    ['a capture', 'CAPTURE', 'HOLD_NOT_OPEN', ['AUTHORIZED', 'PARTIALLY_CAPTURED']],
    ['a capture', 'CAPTURE', 'HOLD_PARTLY_CAPTURED', []],
    ['a capture', 'CAPTURE', 'CAPTURE_EXCEEDS_HOLD', []],
    ['a cancel', 'CANCEL', 'HOLD_NOT_OPEN', ['AUTHORIZED', 'PARTIALLY_CAPTURED']],
    ['an expiry', 'EXPIRE', 'HOLD_NOT_OPEN', ['AUTHORIZED', 'PARTIALLY_CAPTURED']],
    ['an expiry', 'EXPIRE', 'HOLD_PARTLY_CAPTURED', []],
    ['a refund', 'REFUND', 'HOLD_NOT_OPEN', []],
  ])('that is %s waits for the outcome of another one: %s %s', (_, kind, code, waits) => {
    const states: PaymentState[] = ['AUTHORIZED', 'PARTIALLY_CAPTURED', 'CANCELLED', 'COMPLETED'];
    const waiting = states.filter((state) => {
      const operation = { ...ask(authorizedPayment(), capture), kind, attempts: 9 };
      return settle({ ...authorizedPayment(), state }, operation, declined(code)) === undefined;
    });
    expect(waiting).toEqual(waits);
  });

  it('that is an expiry waits without limit', () => {
    const payment = authorizedPayment();
    const expiry = { ...beginExpiry(payment, start()), attempts: 1_000 };
    expect(settle(payment, expiry, declined('HOLD_NOT_OPEN'))).toBeUndefined();
  });

  it.each<[string, () => unknown, string]>([
    [
      'more captured than held',
      () => take(authorizedPayment(), capture, captured(1_001n)),
      'captures of pay_1 exceed its hold',
    ],
    [
      'more captured than left the hold',
      () => take(authorizedPayment(), capture, captured(500n, 400n)),
      'captures of pay_1 exceed its hold',
    ],
    [
      'more refunded than captured',
      () => take(completed(700n), refund, approved([move('TRANSFER', 701n)])),
      'refunds of pay_1 exceed its captures',
    ],
  ])('with a decision that cannot be is not stored: %s', (_, act, message) => {
    expect(act).toThrow(`The ${message}.`);
  });

  it('that is approved in a state that does not allow it is not stored', () => {
    const cancelled = take(authorizedPayment(), cancel, released(1_000n)).payment;
    const late = ask(authorizedPayment(), capture);
    expect(() => settle(cancelled, late, captured(1_000n))).toThrow(
      expect.objectContaining({ reason: 'INVALID_STATE' }),
    );
  });

  it('that was declined is refused with its own message and state', () => {
    const payment = authorizedPayment();
    const refusalFor = (code: string) => refusalOf(payment, take(payment, capture, declined(code)).operation);
    const metadata = { state: 'AUTHORIZED' };
    expect(refusalFor('TO_ACCOUNT_NOT_ACTIVE')).toEqual(
      new PaymentError('TO_ACCOUNT_NOT_ACTIVE', 'No.', { metadata }),
    );
    expect(refusalFor('RULE_DECLINED')).toEqual(
      new PaymentError('INVALID_STATE', 'No.', { metadata: { ...metadata, decline_code: 'RULE_DECLINED' } }),
    );
    const { failure: _, ...unknown } = ask(payment, capture);
    expect(refusalOf(payment, unknown as Operation)).toEqual(
      new PaymentError('INVALID_STATE', '', { metadata: { ...metadata, decline_code: '' } }),
    );
  });
});

describe('the end of a hold', () => {
  it.each<[string, Operation, PaymentState, string]>([
    ['a cancel', ask(authorizedPayment(), cancel), 'CANCELLED', 'payment.cancelled'],
    ['an expiry', beginExpiry(authorizedPayment(), start()), 'EXPIRED', 'payment.expired'],
  ])('by %s releases all of it', (_, operation, state, type) => {
    const settlement = settle(authorizedPayment(), operation, released(1_000n));
    expect(settlement).toMatchObject({
      payment: { state, releasedMinor: 1_000n },
      change: { event: { type } },
    });
  });

  it.each([
    ['a cancel', (payment: Payment) => ask(payment, cancel)],
    ['an expiry', (payment: Payment) => beginExpiry(payment, start())],
  ])('by %s after a capture completes the payment with what was captured', (_, end) => {
    const { payment } = take(authorizedPayment(), part(capture, 400n), captured(400n));
    const settlement = settle(payment, end(payment), released(600n));
    expect(settlement).toMatchObject({
      payment: { state: 'COMPLETED', capturedMinor: 400n, releasedMinor: 600n },
      change: { event: { type: 'payment.completed', movements: [{ kind: 'RELEASE' }] } },
    });
  });

  it.each([
    ['a cancel', (payment: Payment) => ask(payment, cancel)],
    ['an expiry', (payment: Payment) => beginExpiry(payment, start())],
  ])('by %s waits for a capture that was decided before it', (_, end) => {
    const payment = authorizedPayment();
    expect(settle(payment, end(payment), released(600n))).toBeUndefined();
  });

  it.each([
    ['a part', 300n, 'PARTIALLY_REFUNDED'],
    ['all', 400n, 'REFUNDED'],
  ])('after a refund of %s that was captured shows the refund in the state', (_, back, state) => {
    const { payment } = take(authorizedPayment(), part(capture, 400n), captured(400n));
    const refunded = take(payment, part(refund, back), approved([move('TRANSFER', back)]));
    expect(refunded.payment).toMatchObject({ state: 'PARTIALLY_CAPTURED', refundedMinor: back });
    expect(refunded.change?.event.type).toBe('payment.refunded');
    expect(take(refunded.payment, cancel, released(600n))).toMatchObject({
      payment: { state, capturedMinor: 400n, releasedMinor: 600n, refundedMinor: back },
      change: { event: { type: 'payment.completed' } },
    });
  });
});

describe('a refund', () => {
  it('in parts ends in REFUNDED with the last one', () => {
    const back = (amountMinor: bigint) => approved([move('TRANSFER', amountMinor)]);
    const first = take(completed(700n), part(refund, 300n), back(300n));
    expect(first.payment).toMatchObject({ state: 'PARTIALLY_REFUNDED', refundedMinor: 300n });
    expect(first.change?.event).toMatchObject({ type: 'payment.refunded', refundId: first.operation.id });
    const second = take(first.payment, refund, back(400n));
    expect(second.operation.amountMinor).toBe(400n);
    expect(second.payment).toMatchObject({ state: 'REFUNDED', refundedMinor: 700n });
  });

  it('of a payment that still holds money is limited to what was captured', () => {
    const { payment } = take(authorizedPayment(), part(capture, 400n), captured(400n));
    expect(() => ask(payment, part(refund, 401n))).toThrow(
      expect.objectContaining({ reason: 'REFUND_EXCEEDS_CAPTURED', metadata: { available_minor: '400' } }),
    );
    const refunded = take(payment, refund, approved([move('TRANSFER', 400n)])).payment;
    const second = take(refunded, part(capture, 100n), captured(100n));
    expect(second.payment).toMatchObject({ state: 'PARTIALLY_CAPTURED', capturedMinor: 500n });
    expect(ask(second.payment, refund).amountMinor).toBe(100n);
  });

  it('cannot use an amount that another pending refund reserves', () => {
    const payment = completed(700n);
    const pending = [ask(payment, refund)];
    expect(() => ask(payment, part(refund, 1n), pending)).toThrow(
      expect.objectContaining({ reason: 'REFUND_EXCEEDS_CAPTURED', metadata: { available_minor: '0' } }),
    );
  });
});

const ACTIONS = {
  AUTHORIZED: 'capture,cancel',
  PARTIALLY_CAPTURED: 'capture,cancel,refund',
  COMPLETED: 'refund',
};

it.each(Object.entries(ACTIONS))('a payment that is %s reports the allowed actions %s', (state, allowed) => {
  const payment = { ...authorizedPayment(), state: state as PaymentState };
  for (const terms of [capture, cancel, refund]) {
    if (allowed.includes(terms.kind.toLowerCase())) continue;
    expect(() => ask(payment, terms)).toThrow(
      expect.objectContaining({ metadata: { state, allowed_actions: allowed } }),
    );
  }
});

/** A model of one hold in authorization. */
function createModel(amountMinor: bigint) {
  const hold = { remaining: amountMinor, captured: 0n, receiver: 0n };
  return {
    hold,
    decide({ kind, amountMinor, takesRest, final }: Operation): Decision {
      const { remaining } = hold;
      if (kind === 'REFUND') {
        if (hold.receiver < amountMinor) return declined('INSUFFICIENT_BALANCE');
        hold.receiver -= amountMinor;
        return approved([move('TRANSFER', amountMinor)]);
      }
      if (remaining === 0n) return declined('HOLD_NOT_OPEN');
      if (kind !== 'CAPTURE') {
        hold.remaining = 0n;
        return released(remaining);
      }
      const wanted = takesRest ? remaining : amountMinor;
      if (wanted > remaining) return declined('CAPTURE_EXCEEDS_HOLD');
      const leaving = final ? remaining : wanted;
      hold.remaining -= leaving;
      hold.captured += wanted;
      hold.receiver += wanted;
      return captured(wanted, leaving);
    },
  };
}

const FINAL: readonly PaymentState[] = ['CANCELLED', 'EXPIRED', 'REFUNDED'];
const amounts = fc.option(fc.bigInt({ min: 1n, max: 12n }), { nil: undefined });
const commands = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('capture' as const), amountMinor: amounts, final: fc.boolean() }),
    fc.record({ do: fc.constantFrom('cancel' as const, 'expire' as const) }),
    fc.record({ do: fc.constant('refund' as const), amountMinor: amounts }),
    // Decides the nth operation that was begun, or stores the nth decided one, so in any order.
    fc.record({ do: fc.constantFrom('decide' as const, 'store' as const), nth: fc.nat(5) }),
  ),
  { maxLength: 40 },
);

describe('any sequence of steps, decided and stored in any order', () => {
  it('keeps 0 ≤ refunded ≤ captured ≤ amount, leaves final states final, and ends in the state of authorization', () => {
    fc.assert(
      fc.property(commands, (sequence) => {
        const model = createModel(10n);
        let payment = authorizedPayment(10n);
        const begun: Operation[] = [];
        const decided: [Operation, Decision][] = [];
        const pending = () => [...begun, ...decided.map(([operation]) => operation)];

        const beginOne = (terms: Terms) => {
          try {
            begun.push(ask(payment, terms, pending()));
          } catch (error) {
            expect(error).toBeInstanceOf(PaymentError);
          }
        };
        const decideOne = (nth: number) => {
          const [operation] = begun.splice(nth % begun.length, 1);
          if (operation) decided.push([operation, model.decide(operation)]);
        };
        const storeOne = (nth: number): boolean => {
          const index = nth % decided.length;
          const [operation, decision] = decided[index] ?? [];
          const settlement = operation && decision && settle(payment, operation, decision);
          if (!settlement) return false;
          if (FINAL.includes(payment.state)) expect(settlement.payment).toEqual(payment);
          payment = settlement.payment;
          decided.splice(index, 1);
          expectInBounds(payment);
          return true;
        };

        for (const command of sequence) {
          if (command.do === 'decide') decideOne(command.nth);
          else if (command.do === 'store') storeOne(command.nth);
          else if (command.do === 'capture') beginOne({ ...capture, ...pick(command) });
          else if (command.do === 'refund') beginOne({ ...refund, amountMinor: command.amountMinor });
          else if (command.do === 'cancel') beginOne(cancel);
          else if (heldMinor(payment) > 0n) begun.push(beginExpiry(payment, start()));
        }
        while (begun.length > 0) decideOne(0);
        // A waiting operation can wait only for one of the others.
        while (decided.length > 0) {
          expect(decided.some((_, index) => storeOne(index))).toBe(true);
        }
        expect(heldMinor(payment)).toBe(model.hold.remaining);
        expect(payment.capturedMinor).toBe(model.hold.captured);
        expect(payment.capturedMinor - payment.refundedMinor).toBe(model.hold.receiver);
      }),
      { numRuns: 20 * USUAL_RUNS },
    );
  });
});

const pick = ({ amountMinor, final }: { amountMinor: bigint | undefined; final: boolean }) => ({
  amountMinor,
  final: final || amountMinor === undefined,
});

function expectInBounds({ refundedMinor, capturedMinor, releasedMinor, amountMinor, state }: Payment) {
  expect(refundedMinor).toBeGreaterThanOrEqual(0n);
  expect(releasedMinor).toBeGreaterThanOrEqual(0n);
  expect(capturedMinor).toBeGreaterThanOrEqual(refundedMinor);
  expect(amountMinor).toBeGreaterThanOrEqual(capturedMinor + releasedMinor);
  const held = amountMinor - capturedMinor - releasedMinor;
  if (held > 0n) expect(['AUTHORIZED', 'PARTIALLY_CAPTURED']).toContain(state);
  else if (capturedMinor > 0n) {
    const parts = refundedMinor === capturedMinor ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
    expect(state).toBe(refundedMinor === 0n ? 'COMPLETED' : parts);
  }
  if (state === 'CANCELLED' || state === 'EXPIRED') expect(capturedMinor).toBe(0n);
}
