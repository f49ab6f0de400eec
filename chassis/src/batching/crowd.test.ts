import { expect, it } from 'vitest';
import { createCrowd } from './crowd.ts';

it('is complete when as many wait as lately, but not while it grows or after results left', () => {
  const crowd = createCrowd();
  crowd.grew(1, 0);
  expect(crowd.isComplete(), 'it grows').toBe(false);
  crowd.grew(2, 1);
  expect(crowd.isComplete(), 'it still grows').toBe(false);
  crowd.shrank();
  crowd.grew(1, 2);
  expect(crowd.isComplete(), 'one is missing').toBe(false);
  crowd.grew(2, 3);
  expect(crowd.isComplete(), 'both are back').toBe(true);
  crowd.shrank();
  expect(crowd.isComplete(), 'results left').toBe(false);
});

it.each([
  [120, true],
  [119, false],
  [128, true],
  [129, false],
])('of 128, %i are enough: %s', (size, isComplete) => {
  const crowd = createCrowd();
  crowd.grew(128, 0);
  crowd.grew(size, 1);
  expect(crowd.isComplete()).toBe(isComplete);
});

it('forgets a larger crowd after a second', () => {
  const crowd = createCrowd();
  crowd.grew(128, 0);
  crowd.grew(16, 999);
  expect(crowd.isComplete(), 'the large crowd may come back').toBe(false);
  crowd.grew(16, 1_000);
  expect(crowd.isComplete()).toBe(true);
  crowd.grew(128, 1_400);
  crowd.grew(16, 10_000);
  crowd.grew(16, 10_001);
  expect(crowd.isComplete(), 'after a long silence').toBe(true);
});
