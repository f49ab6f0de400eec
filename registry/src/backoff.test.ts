import { expect, it } from 'vitest';
import { backoff } from './backoff.ts';

it('doubles the delay up to the cap and starts over after a success', () => {
  const delays = backoff({ firstMs: 100, maxMs: 500, random: () => 1 });
  expect([delays.nextMs(), delays.nextMs(), delays.nextMs(), delays.nextMs()]).toEqual([100, 200, 400, 500]);
  delays.reset();
  expect(delays.nextMs()).toBe(100);
});

it('randomises half of each delay', () => {
  const delays = backoff({ firstMs: 100, maxMs: 500, random: () => 0 });
  expect([delays.nextMs(), delays.nextMs()]).toEqual([50, 100]);
});
