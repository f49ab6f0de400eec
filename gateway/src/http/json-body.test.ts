import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countMembers, measure } from './json-body.ts';

it('finds as many members in any JSON text as there are in its value', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(measure(text).members).toBe(countMembers(JSON.parse(text)));
    }),
  );
});

it('counts a name that is given twice', () => {
  const text = '{"a": {"b:\\"": 1, "b:\\"": 2}}';
  expect(measure(text)).toEqual({ members: 3, depth: 2 });
  expect(countMembers(JSON.parse(text))).toBe(2);
});

it('comes to an end in text that breaks off', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      measure(text);
    }),
  );
});
