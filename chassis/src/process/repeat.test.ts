import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testLog } from '../testing/index.ts';
import { repeat } from './repeat.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('continues at once while there is more work, and after its pause otherwise', async () => {
  const answers = [true, true, false];
  let rounds = 0;
  const repetition = repeat('work', 500, async () => answers[rounds++] ?? false, testLog);
  await vi.advanceTimersByTimeAsync(0);
  expect(rounds).toBe(3);
  await vi.advanceTimersByTimeAsync(499);
  expect(rounds).toBe(3);
  await vi.advanceTimersByTimeAsync(1);
  expect(rounds).toBe(4);
  await repetition.stop();
});

it('makes longer pauses while its rounds fail, up to eight seconds, and normal pauses after a success', async () => {
  let isAway = true;
  const beganAt: number[] = [];
  const round = async () => {
    beganAt.push(Date.now());
    if (isAway) throw new Error('away');
    return false;
  };
  const repetition = repeat('work', 100, round, testLog);
  await vi.advanceTimersByTimeAsync(60_000);
  const pauses = beganAt.slice(1).map((at, index) => at - (beganAt[index] ?? 0));
  expect(pauses[0]).toBe(100);
  expect(pauses[3]).toBeGreaterThanOrEqual(400);
  expect(pauses.at(-1)).toBeGreaterThanOrEqual(4_000);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(8_000);

  isAway = false;
  await vi.advanceTimersByTimeAsync(8_000);
  const before = beganAt.length;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(beganAt.length - before).toBe(10);
  await repetition.stop();
});
