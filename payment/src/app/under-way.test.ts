import { expect, it } from 'vitest';
import { createUnderWay } from './under-way.ts';

it('shares one run among concurrent calls with the same id, and starts a new run for a later call', async () => {
  const underWay = createUnderWay<number>();
  let begun = 0;
  const work = async () => ++begun;
  expect(await Promise.all([underWay('a', work), underWay('a', work), underWay('b', work)])).toEqual([
    1, 1, 2,
  ]);
  expect(await underWay('a', work)).toBe(3);
});

it('allows a retry after the work failed', async () => {
  const underWay = createUnderWay<string>();
  const failing = () => Promise.reject(new Error('away'));
  await expect(underWay('a', failing)).rejects.toThrow('away');
  expect(await underWay('a', async () => 'done')).toBe('done');
});
