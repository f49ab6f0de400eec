import { validate, version } from 'uuid';
import { expect, it } from 'vitest';
import { newId } from './ids.ts';

it('creates UUIDs of version 7 that sort in order of creation, also within a millisecond', () => {
  const ids = Array.from({ length: 10_000 }, () => newId('pay'));
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of [ids[0], ids[300], ids.at(-1)]) {
    expect(id).toMatch(/^pay_/);
    expect(validate(id?.slice(4)) && version(id?.slice(4) ?? '')).toBe(7);
  }
  const before = Date.now();
  const time = Number.parseInt(newId('evt').slice(4).replaceAll('-', '').slice(0, 12), 16);
  expect(time).toBeGreaterThanOrEqual(before);
  expect(time).toBeLessThanOrEqual(Date.now());
});
