import { MAX_POSITION_BYTES } from '@payflowx/chassis';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packSnapshot, unpackSnapshot } from './packed-snapshot.ts';

/** The snapshot of this many open transactions, each begun `gap` transactions after the one before. */
function snapshotOf(count: number, gap: number, xmin = 2n ** 40n): string {
  const xips = Array.from({ length: count }, (_, index) => xmin + BigInt(index * gap));
  return `${xmin}:${xmin + BigInt(count * gap)}:${xips.join(',')}`;
}

describe('a packed snapshot', () => {
  it.each(['750:750:', '750:760:750,755', '3:18446744073709551615:3,4', snapshotOf(200, 128)])(
    'unpacks to the same text: %s',
    (snapshot) => {
      expect(unpackSnapshot(packSnapshot(snapshot))).toBe(snapshot);
    },
  );

  it('unpacks to the same text, whatever is open', () => {
    const xids = fc.uniqueArray(fc.bigInt({ min: 3n, max: 2n ** 62n }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(xids, (made) => {
        const [xmin, ...xips] = made.toSorted((a, b) => (a < b ? -1 : 1));
        const snapshot = `${xmin}:${2n ** 62n}:${xips.join(',')}`;
        expect(unpackSnapshot(packSnapshot(snapshot))).toBe(snapshot);
      }),
    );
  });

  it('leaves room for the rest of a statement’s token, at any size that is accepted', () => {
    const extreme = -(2n ** 63n);
    const rest = {
      fromMs: -8.64e15,
      toMs: -8.64e15,
      currency: 'EUR',
      opening: `${extreme}`,
      closing: `${extreme}`,
      seenBy: '',
      after: {
        createdAtMs: -8.64e15,
        transactionId: `txn_${'0'.repeat(36)}`,
        number: 32_767,
        balance: `${extreme}`,
      },
    };
    const room = MAX_POSITION_BYTES - JSON.stringify(rest).length;
    expect(packSnapshot(snapshotOf(292, 16_384)).length).toBeLessThanOrEqual(room);
    expect(packSnapshot(snapshotOf(870, 1)).length).toBeLessThanOrEqual(room);
    expect(() => packSnapshot(snapshotOf(310, 16_384))).toThrow('Too many database transactions');
  });
});
