import { expect, it } from 'vitest';
import { createSingleFlight } from './single-flight.ts';

it('shares one run among concurrent calls with the same id, and starts a new run for a later call', async () => {
  const singleFlight = createSingleFlight<number>();
  let begun = 0;
  const work = async () => ++begun;
  expect(
    await Promise.all([singleFlight('a', work), singleFlight('a', work), singleFlight('b', work)]),
  ).toEqual([1, 1, 2]);
  expect(await singleFlight('a', work)).toBe(3);
});

it('allows a retry after the work failed', async () => {
  const singleFlight = createSingleFlight<string>();
  const failing = () => Promise.reject(new Error('unavailable'));
  await expect(singleFlight('a', failing)).rejects.toThrow('unavailable');
  expect(await singleFlight('a', async () => 'done')).toBe('done');
});
