import { describe, expect, it } from 'vitest';
import { createPairs, type Pairing } from './pairs.ts';
import { seededRandom } from './testing.ts';
import { createZipf } from './zipf.ts';

const DRAWS = 200_000;

describe('Zipf’s law', () => {
  it('draws each rank as often as 1/rank says, to the last one', () => {
    const size = 1_000;
    const draw = createZipf(size, 1, seededRandom());
    const counts = new Array<number>(size).fill(0);
    for (let n = 0; n < DRAWS; n += 1) {
      const rank = draw();
      counts[rank] = (counts[rank] ?? 0) + 1;
    }
    const harmonic = Array.from({ length: size }, (_, rank) => 1 / (rank + 1)).reduce((a, b) => a + b);
    for (const rank of [1, 2, 10, 100]) {
      const expected = DRAWS / harmonic / rank;
      expect(Math.abs((counts[rank - 1] ?? 0) - expected)).toBeLessThan(4 * Math.sqrt(expected));
    }
    expect(counts.slice(-100).reduce((a, b) => a + b)).toBeGreaterThan(0);
  });

  it('is uniform for exponent 0', () => {
    const draw = createZipf(2, 0, seededRandom());
    const ones = Array.from({ length: DRAWS }, draw).filter((rank) => rank === 1).length;
    expect(ones / DRAWS).toBeCloseTo(0.5, 2);
  });
});

describe('pairs', () => {
  const accounts = Array.from({ length: 5 }, (_, n) => ({ id: `acct_${n}`, owner: n }));
  const hot = { id: 'acct_hot', owner: 0 };
  const pairsOf = (pairing: Pairing) => {
    const pick = createPairs(pairing, { accounts, hot }, seededRandom());
    return Array.from({ length: 1_000 }, pick);
  };

  it.each<Pairing>(['uniform', 'zipf', 'into-one', 'out-of-one'])('never pay themselves: %s', (pairing) => {
    expect(pairsOf(pairing).filter(({ from, to }) => from.id === to.id)).toEqual([]);
  });

  it('use the hot account as intended', () => {
    expect(pairsOf('into-one').every(({ to }) => to === hot)).toBe(true);
    expect(pairsOf('out-of-one').every(({ from }) => from === hot)).toBe(true);
  });
});
