import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countMembers, measure } from './json-body.ts';

it('counts the same number of members in a JSON text as in its value', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(measure(text).members).toBe(countMembers(JSON.parse(text)));
    }),
  );
});

it('counts a duplicate name', () => {
  const text = '{"a": {"b:\\"": 1, "b:\\"": 2}}';
  expect(measure(text)).toEqual({ members: 3, depth: 2 });
  expect(countMembers(JSON.parse(text))).toBe(2);
});

it('terminates for a text that is cut off', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      measure(text);
    }),
  );
});
