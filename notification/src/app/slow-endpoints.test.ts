import { expect, it } from 'vitest';
import { createSlowEndpoints } from './slow-endpoints.ts';

it('an endpoint is slow for five minutes after an answer of more than 3 s, also if the next one is fast', () => {
  let now = 1_000;
  const slow = createSlowEndpoints(() => now);
  slow.note('a', 3_000);
  expect(slow.has('a')).toBe(false);
  slow.note('a', 3_001);
  slow.note('a', 1);
  expect([slow.has('a'), slow.has('b')]).toEqual([true, false]);
  now += 299_999;
  expect(slow.has('a')).toBe(true);
  slow.note('a', 14_000);
  now += 299_999;
  expect(slow.has('a')).toBe(true);
  now += 1;
  expect(slow.has('a')).toBe(false);
});

it('forgets the endpoint that was slow longest ago, of more than 10,000', () => {
  const slow = createSlowEndpoints(() => 0);
  for (let count = 0; count <= 10_000; count += 1) {
    slow.note(`${count}`, 5_000);
    slow.note('0', 5_000);
  }
  expect([slow.has('0'), slow.has('1'), slow.has('2')]).toEqual([true, false, true]);
});
