import fc from 'fast-check';
import Type from 'typebox';
import { describe, expect, it } from 'vitest';
import { CallError } from './errors.ts';
import { invalidPageToken } from './page-tokens.ts';
import { cutPage, decodePageToken, encodePageToken, pageSizeOf } from './paging.ts';

it.each([
  [0, 20],
  [1, 1],
  [100, 100],
  [101, 100],
  [2_147_483_647, 100],
])('a requested page size of %d is %d', (requested, size) => {
  expect(pageSizeOf(requested)).toBe(size);
});

it('a list may have another standard and another maximum', () => {
  const limits = { standard: 5, max: 7 };
  expect([0, 6, 8].map((requested) => pageSizeOf(requested, limits))).toEqual([5, 6, 7]);
});

it('a negative page size is refused with its field', () => {
  const violations = [{ field: 'page_size', description: 'must be 0 or more' }];
  const refusal = new CallError('INVALID_PAGE_SIZE', 'page_size must not be negative.', { violations });
  expect(() => pageSizeOf(-1)).toThrow(refusal);
});

const Position = Type.Object({ id: Type.String({ minLength: 1 }), at: Type.Integer() });

describe('a position', () => {
  it('is the same after it was a token, and absent on the first page', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.maxSafeInteger(), (id, at) => {
        expect(decodePageToken(encodePageToken({ id, at }), Position)).toEqual({ id, at });
      }),
    );
    expect(decodePageToken('', Position)).toBeUndefined();
  });

  it.each(['x', '{', 'null', '[]', '1', '{}', '{"id":"a"}', '{"id":"","at":1}', '{"id":"a","at":"1"}'])(
    'of another form is refused: %s',
    (token) => {
      expect(() => decodePageToken(token, Position)).toThrow(invalidPageToken());
    },
  );
});

describe('pages', () => {
  it('that follow each other have every row once, and only the last has no token', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer()), fc.integer({ min: 1, max: 5 }), (rows, size) => {
        const sorted = rows.toSorted((a, b) => a - b);
        const seen: number[] = [];
        let from: number | undefined;
        for (;;) {
          const after = from;
          const rest = sorted.filter((row) => after === undefined || row > after);
          const page = cutPage(rest.slice(0, size + 1), size, (last) => ({ last }));
          expect(page.rows.length).toBeLessThanOrEqual(size);
          seen.push(...page.rows);
          if (page.nextPageToken === '') break;
          from = JSON.parse(page.nextPageToken).last;
          expect(from).toBe(page.rows.at(-1));
        }
        expect(seen).toEqual(sorted);
      }),
    );
  });

  it('of no rows have no token', () => {
    expect(cutPage([], 3, () => ({}))).toEqual({ rows: [], nextPageToken: '' });
    expect(cutPage(['a'], 0, () => ({}))).toEqual({ rows: [], nextPageToken: '' });
  });
});
