import { expect, it } from 'vitest';
import { createLockPatience } from './lock-patience.ts';

it.each([
  ['an idle machine', 5, 100],
  ['a busy machine', 100, 500],
  ['a very slow machine', 2_000, 1_000],
])('waits for several batches of another instance on %s', (_, batchMs, expected) => {
  const patience = createLockPatience();
  for (let batch = 0; batch < 100; batch += 1) patience.observe(batchMs);
  expect(patience.waitMs()).toBe(expected);
});
