import type { Caller } from '@payflowx/chassis';
import { describe, expect, it } from 'vitest';
import { sideOfNotes, viewFor } from './access.ts';
import type { Payment } from './payment.ts';
import { changeNotes, notesOf } from './payment-notes.ts';

const payment = {
  fromOwnerId: 'usr_a',
  toOwnerId: 'usr_b',
  reference: 'order-1',
  metadata: { order: '1' },
} as unknown as Payment;
const caller = (id: string, role = 'customer') => ({ id, roles: [role] }) as Caller;

describe('the side whose notes a caller may change', () => {
  it.each([
    ['the payer', caller('usr_a'), payment, 'PAYER'],
    ['the payee', caller('usr_b'), payment, 'PAYEE'],
    ['an operator with the account of the payee', caller('usr_b', 'operator'), payment, 'PAYEE'],
    ['the owner of both', caller('usr_a'), { ...payment, toOwnerId: 'usr_a' }, 'PAYER'],
  ] as const)('of %s', (_, who, of, side) => {
    expect(sideOfNotes(who, of as Payment)).toBe(side);
  });

  it.each([
    ['a stranger', caller('usr_c'), payment, 'PAYMENT_NOT_FOUND'],
    [
      'the receiver of a declined payment',
      caller('usr_b'),
      { ...payment, toOwnerId: undefined },
      'PAYMENT_NOT_FOUND',
    ],
    ['an operator', caller('usr_o', 'operator'), payment, 'ACTION_NOT_ALLOWED'],
    ['an auditor', caller('usr_o', 'auditor'), payment, 'ACTION_NOT_ALLOWED'],
  ] as const)('is none of %s', (_, who, of, reason) => {
    expect(() => sideOfNotes(who, of as Payment)).toThrow(expect.objectContaining({ reason }));
  });
});

it('the payer begins with the notes of its request, and the payee with none', () => {
  expect(notesOf(payment, {}, 'PAYER')).toEqual({ reference: 'order-1', metadata: { order: '1' } });
  expect(notesOf(payment, {}, 'PAYEE')).toEqual({ reference: '', metadata: {} });
  const PAYEE = { reference: 'bill-2', metadata: {} };
  expect(notesOf(payment, { PAYEE }, 'PAYEE')).toEqual(PAYEE);
  expect(notesOf(payment, { PAYEE }, 'PAYER').reference).toBe('order-1');
});

describe('a view', () => {
  const PAYER = { reference: 'mine', metadata: { a: '1' } };
  const PAYEE = { reference: 'bill-2', metadata: { b: '2' } };
  const whole = { ...payment, origin: { caller: { id: 'usr_a' } } } as unknown as Payment;
  const seen = (who: Caller) => {
    const { reference, metadata, payeeNotes } = viewFor(who, whole, { PAYER, PAYEE });
    return { reference, metadata, payeeNotes };
  };

  it('has the own notes of each side, and nothing of the other', () => {
    expect(seen(caller('usr_a'))).toEqual({ ...PAYER, payeeNotes: undefined });
    expect(seen(caller('usr_b'))).toEqual({ ...PAYEE, payeeNotes: undefined });
  });

  it.each(['operator', 'auditor'])('has both for an %s, whatever its own accounts are', (role) => {
    for (const id of ['usr_o', 'usr_a', 'usr_b'])
      expect(seen(caller(id, role))).toEqual({ ...PAYER, payeeNotes: PAYEE });
  });

  it('has the notes of the request until the payer changes them', () => {
    expect(viewFor(caller('usr_a'), whole).reference).toBe('order-1');
    expect(viewFor(caller('usr_b'), whole)).toMatchObject({ reference: '', metadata: {} });
  });
});

describe('a change', () => {
  const notes = { reference: 'a', metadata: { one: '1', two: '2' } };
  const none = { reference: undefined, metadata: {}, removedMetadata: [] };

  it.each([
    ['of nothing', none, notes],
    ['of the reference', { ...none, reference: 'b' }, { ...notes, reference: 'b' }],
    ['that removes the reference', { ...none, reference: '' }, { ...notes, reference: '' }],
    ['of one pair', { ...none, metadata: { two: '3' } }, { ...notes, metadata: { one: '1', two: '3' } }],
    [
      'with a new pair',
      { ...none, metadata: { six: '6' } },
      { ...notes, metadata: { one: '1', two: '2', six: '6' } },
    ],
    [
      'that removes a pair',
      { ...none, removedMetadata: ['one', 'other'] },
      { ...notes, metadata: { two: '2' } },
    ],
  ])('%s leaves the rest', (_, change, expected) => {
    expect(changeNotes(notes, change)).toEqual(expected);
  });

  it('may be made twice: the second time changes nothing', () => {
    const change = { reference: 'b', metadata: { two: '3' }, removedMetadata: ['one'] };
    const once = changeNotes(notes, change);
    expect(changeNotes(once, change)).toEqual(once);
  });

  const pairs = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
  it.each([
    ['a reference that is too long', { ...none, reference: 'x'.repeat(101) }, 'reference'],
    ['more than 20 pairs, the old ones counted', { ...none, metadata: pairs(19) }, 'metadata'],
    ['a value that is too long', { ...none, metadata: { a: 'x'.repeat(501) } }, 'metadata.a'],
    ['a name without characters', { ...none, metadata: { '': 'x' } }, 'metadata'],
    [
      'a pair that is set and removed',
      { ...none, metadata: { a: '1' }, removedMetadata: ['a'] },
      'removed_metadata',
    ],
  ])('to %s is refused', (_, change, field) => {
    expect(() => changeNotes(notes, change)).toThrow(
      expect.objectContaining({
        reason: 'INVALID_ARGUMENT',
        violations: [expect.objectContaining({ field })],
      }),
    );
  });

  it('may have 20 pairs', () => {
    expect(Object.keys(changeNotes(notes, { ...none, metadata: pairs(18) }).metadata)).toHaveLength(20);
  });
});
