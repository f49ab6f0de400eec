import { describe, expect, it } from 'vitest';
import { changesOf, type History, startOf } from './history.ts';
import { begin, NO_NOTES, type Operation, settle } from './operation.ts';
import type { Order } from './order.ts';
import { type Change, type Decision, decide, initiate, type Movement, type Payment } from './payment.ts';

const at = (s: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, s));
const way = { fromAccount: 'acct_a', toAccount: 'acct_b' };
const ORDER: Order = {
  ...way,
  ...{ kind: 'PAYMENT', amountMinor: 1_000n, currency: 'EUR', captureMode: 'MANUAL', captureBy: 'PAYER' },
  ...{ description: '', reference: '', metadata: {}, holdSeconds: 0, mandateId: undefined },
};
const origin = { caller: { id: 'usr_1', roles: ['customer'] }, requestId: 'k', traceparent: '' } as const;
const move = (kind: Movement['kind'], amountMinor: bigint): Movement => ({ kind, ...way, amountMinor });

let count = 0;
function decision(s: number, movements: Movement[], more: Partial<Decision> = {}): Decision {
  count += 1;
  return {
    ...{ eventId: `evt_${count}`, decidedAt: at(s), failure: undefined, movements },
    ...{ fromOwnerId: 'usr_1', toOwnerId: 'usr_2', record: Buffer.from(`decision ${count}`) },
    ...more,
  };
}

/** A payment, with all changes that were announced, and what is stored of them. */
function lived({ end = at(3_602) }: { end?: Date } = {}): { history: History; announced: Change[] } {
  const started = initiate(ORDER, { id: 'pay_1', origin, now: at(0), holdMs: 3_600_000 });
  const held = decision(2, [move('HOLD', 1_000n)], { holdExpiresAt: end });
  const announced = [started, decide(started.payment, held)];
  const operations: { operation: Operation; decision: Decision }[] = [];
  let payment = announced[1]?.payment as Payment;
  const take = (kind: 'CAPTURE' | 'REFUND', amountMinor: bigint, final: boolean, decided: Decision) => {
    const start = {
      id: `op_${kind}`,
      origin: { callerId: 'usr_1', requestId: 'k', traceparent: '' },
      now: at(3),
    };
    const operation = begin(payment, [], { kind, amountMinor, final, reason: '', notes: NO_NOTES }, start);
    const settled = settle(payment, operation, decided);
    if (!settled?.change) throw new Error('not settled');
    operations.push({ operation: settled.operation, decision: decided });
    announced.push(settled.change);
    payment = settled.payment;
  };
  take('CAPTURE', 400n, true, decision(4, [move('TRANSFER', 400n), move('RELEASE', 1_000n)]));
  take('REFUND', 100n, false, decision(5, [move('TRANSFER', 100n)]));
  const history = { payment, initiatedEventId: 'evt_start', decision: held, operations };
  return { history, announced };
}

describe('the history of a payment', () => {
  it('has all changes as they were announced, each with the id of its event', () => {
    const { history, announced } = lived();
    const changes = changesOf(history);
    // The event of the start does not have the owner, who was only claimed.
    const [start, ...others] = announced;
    const claimless = start && { ...start, payment: { ...start.payment, fromOwnerId: undefined } };
    expect(changes.map(({ change }) => change)).toEqual([claimless, ...others]);
    expect(changes.map(({ eventId }) => eventId)).toEqual([
      ...['evt_start', history.decision?.eventId],
      ...history.operations.map(({ decision }) => decision.eventId),
    ]);
    expect(changes.map(({ operation }) => operation)).toEqual([
      ...[undefined, undefined],
      ...history.operations.map(({ operation }) => operation),
    ]);
  });

  it('of a payment without a decision has only its start', () => {
    const { payment } = initiate(ORDER, { id: 'pay_1', origin, now: at(0), holdMs: 3_600_000 });
    const changes = changesOf({
      payment,
      initiatedEventId: 'evt_start',
      decision: undefined,
      operations: [],
    });
    expect(changes).toMatchObject([
      { eventId: 'evt_start', change: { event: { type: 'payment.initiated' } } },
    ]);
  });

  it('must lead to the payment that is stored', () => {
    const { history } = lived();
    expect(() => changesOf({ ...history, operations: history.operations.slice(0, 1) })).toThrow(
      'The decisions lead to version 3, the payment has 4.',
    );
    const other = { ...history.payment, state: 'REFUNDED' } as const;
    expect(() => changesOf({ ...history, payment: other })).toThrow('The decisions lead to version 4');
    const declined = decision(5, [], { failure: { code: 'NO', message: '' } });
    const operations = history.operations.map(({ operation }) => ({ operation, decision: declined }));
    expect(() => changesOf({ ...history, operations })).toThrow('Operation op_CAPTURE cannot have followed.');
  });
});

describe('the start of a payment', () => {
  it('had the hold time that its decision gave it: as long, from the request on', () => {
    const { history } = lived();
    expect(startOf(history.payment, history.decision).payment.holdExpiresAt).toEqual(at(3_600));
  });

  it('had the end of the hold that authorization kept', () => {
    const kept = decision(2, []);
    const { payment } = lived({ end: at(60) }).history;
    expect(startOf(payment, kept).payment.holdExpiresAt).toEqual(at(60));
    expect(startOf(payment, undefined).payment.holdExpiresAt).toEqual(at(60));
  });
});
