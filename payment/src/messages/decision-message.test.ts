import type { Role } from '@payflowx/proto/auth';
import { Decision, MovementKind, Outcome } from '@payflowx/proto/authorization';
import { CaptureState } from '@payflowx/proto/payment';
import { describe, expect, it } from 'vitest';
import { NO_NOTES, type Operation } from '../domain/operation.ts';
import type { Payment } from '../domain/payment.ts';
import { toCaptureMessage } from './capture-message.ts';
import { storedDecision, toDecision } from './decision-message.ts';
import { roleNames } from './role-codes.ts';

const now = new Date('2026-01-01T00:00:00.123Z');
const way = { fromAccount: 'acct_a', toAccount: 'acct_b' };
const moved = (kind: MovementKind, amountMinor: bigint) => ({ kind, ...way, amountMinor });
const EMPTY = Decision.decode(new Uint8Array());
const APPROVED: Decision = {
  ...EMPTY,
  ...{ id: 'dec_0198c5b2-0000-7000-8000-000000000001', outcome: Outcome.APPROVED, decidedAt: now },
  ...{ fromOwnerId: 'usr_1', toOwnerId: 'usr_2' },
  movements: [
    moved(MovementKind.HOLD, 1n),
    moved(MovementKind.RELEASE, 2n),
    moved(MovementKind.TRANSFER, 4n),
  ],
};

describe('a decision of authorization', () => {
  it('has its movements, its owners, and an event with its own UUID', () => {
    expect(toDecision(APPROVED)).toEqual({
      failure: undefined,
      movements: [
        { kind: 'HOLD', ...way, amountMinor: 1n },
        { kind: 'RELEASE', ...way, amountMinor: 2n },
        { kind: 'TRANSFER', ...way, amountMinor: 4n },
      ],
      ...{ fromOwnerId: 'usr_1', toOwnerId: 'usr_2', holdExpiresAt: undefined, decidedAt: now },
      eventId: 'evt_0198c5b2-0000-7000-8000-000000000001',
      record: Decision.encode(APPROVED).finish(),
    });
  });

  it('that declined has its code and its text, and owners only if it names them', () => {
    const failure = { code: 'INSUFFICIENT_BALANCE', message: 'Not enough.' };
    const declined = { ...EMPTY, ...failure, outcome: Outcome.DECLINED, decidedAt: now };
    expect(toDecision(declined)).toMatchObject({
      ...{ failure, movements: [], fromOwnerId: undefined, toOwnerId: undefined },
    });
  });

  it('of an earlier version has no id, so its event gets a new one', () => {
    const { eventId } = toDecision({ ...APPROVED, id: '' });
    expect(eventId).toMatch(/^evt_[0-9a-f-]{36}$/);
    expect(toDecision({ ...APPROVED, id: '' }).eventId).not.toBe(eventId);
    expect(toDecision({ ...APPROVED, id: 'x_dec_1' }).eventId).toBe('x_dec_1');
  });

  it('that was stored keeps its bytes and the id of its event', () => {
    const record = Decision.encode(APPROVED).finish();
    const stored = storedDecision(record, 'evt_stored');
    expect(stored).toEqual({ ...toDecision(APPROVED), eventId: 'evt_stored', record });
    expect(stored.record).toBe(record);
  });

  it.each<[string, Partial<Decision>]>([
    ['is neither approved nor declined', { outcome: Outcome.UNSPECIFIED }],
    ['has no time', { decidedAt: undefined }],
    ['unknown kind of movement: 99', { movements: [moved(99 as MovementKind, 1n)] }],
  ])('is refused if it %s', (problem, changes) => {
    expect(() => toDecision({ ...APPROVED, ...changes })).toThrow(problem);
  });
});

describe('a capture', () => {
  const payment = { currency: 'EUR', state: 'COMPLETED', capturedMinor: 3n, refundedMinor: 0n } as Payment;
  const operation = {
    ...{ id: 'cap_1', paymentId: 'pay_1', kind: 'CAPTURE', state: 'PENDING', amountMinor: 9n },
    ...{ final: true, notes: NO_NOTES, origin: { callerId: 'usr_1', requestId: 'k', traceparent: '' } },
    ...{ createdAt: now, updatedAt: now, failure: undefined, decision: Decision.encode(APPROVED).finish() },
  } as unknown as Operation;

  it('shows what it moved once it is completed, and before that what it reserves', () => {
    const shown = (changes: Partial<Operation>) => toCaptureMessage({ ...operation, ...changes }, payment);
    expect(shown({})).toMatchObject({
      id: 'cap_1',
      amountMinor: 9n,
      final: true,
      state: CaptureState.PENDING,
    });
    expect(shown({ state: 'COMPLETED' })).toMatchObject({ amountMinor: 4n, state: CaptureState.COMPLETED });
    expect(shown({ state: 'DECLINED' })).toMatchObject({ amountMinor: 9n, state: CaptureState.FAILED });
    expect(shown({ state: 'COMPLETED', decision: undefined }).amountMinor).toBe(9n);
  });
});

it('a role that is not known is refused', () => {
  expect(() => roleNames([99 as Role])).toThrow('There is no role 99.');
});
