import { ok } from '@payflowx/chassis';
import { expect, it } from 'vitest';
import { splitOnFailure } from './split-on-failure.ts';

const unavailable = new Error('unavailable');
const isItemError = (error: unknown) => error !== unavailable;

it('fails only the items that make a batch fail, in few attempts', async () => {
  let batches = 0;
  const work = async (items: readonly number[]) => {
    batches += 1;
    if (items.includes(77)) throw new Error('poison');
    return items.map((item) => ok(item));
  };
  const results = await splitOnFailure(
    Array.from({ length: 200 }, (_, n) => n),
    work,
    isItemError,
  );
  expect(results.flatMap(({ ok }, n) => (ok ? [] : n))).toEqual([77]);
  expect(results[78]).toEqual(ok(78));
  expect(batches).toBeLessThan(20);
});

it('makes one attempt if the service is unavailable', async () => {
  let batches = 0;
  const work = async () => {
    batches += 1;
    throw unavailable;
  };
  await expect(splitOnFailure([1, 2, 3], work, isItemError)).rejects.toBe(unavailable);
  expect(batches).toBe(1);
});
