import { expect, it } from 'vitest';
import { createUnderWay } from './under-way.ts';

it('does the work of an id once for all who ask meanwhile, and anew for who asks later', async () => {
  const underWay = createUnderWay<number>();
  let begun = 0;
  const work = async () => ++begun;
  expect(await Promise.all([underWay('a', work), underWay('a', work), underWay('b', work)])).toEqual([
    1, 1, 2,
  ]);
  expect(await underWay('a', work)).toBe(3);
});

it('lets work that failed be done again', async () => {
  const underWay = createUnderWay<string>();
  const failing = () => Promise.reject(new Error('away'));
  await expect(underWay('a', failing)).rejects.toThrow('away');
  expect(await underWay('a', async () => 'done')).toBe('done');
});
