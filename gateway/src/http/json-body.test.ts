import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countMembers, measure } from './json-body.ts';

/** Any character, most of them strange. `unit: 'binary'` draws the same, but takes two seconds to begin. */
const character = fc
  .oneof(
    fc.integer({ min: 0, max: 0xff }),
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code));

it('counts the same number of members in a JSON text as in its value', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(measure(text).members).toBe(countMembers(JSON.parse(text)));
    }),
  );
});

it('counts a duplicate name', () => {
  const text = '{"a": {"b:\\"": 1, "b:\\"": 2}}';
  expect(measure(text)).toEqual({ members: 3, depth: 2, isPlain: true });
  expect(countMembers(JSON.parse(text))).toBe(2);
});

it('terminates for a text that is cut off', () => {
  fc.assert(
    fc.property(fc.string({ unit: character }), (text) => {
      measure(text);
    }),
  );
});

it.each([
  ['{"a8e5.1": "1.5 1e9 1234567890123456", "amount": -123456789012345}', true],
  ['[true, false, null, 0]', true],
  ['{"amount": 1.0}', false],
  ['{"amount":1e2}', false],
  ['[1E+2]', false],
  ['1234567890123456', false],
])('%s has only short integers: %o', (text, isPlain) => {
  expect(measure(text).isPlain).toBe(isPlain);
});
