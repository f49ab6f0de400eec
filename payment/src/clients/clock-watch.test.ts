import type { Logger } from '@payflowx/chassis';
import { expect, it } from 'vitest';
import { createClockWatch } from './clock-watch.ts';

const START = Date.parse('2025-03-10T09:00:00Z');

function startWatch() {
  let now = START;
  const logged: string[] = [];
  const note = (level: string) => (fields: { clock_ahead_ms: number }) =>
    logged.push(`${level} ${fields.clock_ahead_ms}`);
  const log = { warn: note('warn'), info: note('info') } as unknown as Logger;
  const watch = createClockWatch({ now: () => new Date(now), log });
  /** A call that takes `tookMs`. At its end, authorization's clock is `behindMs` behind ours. */
  const call = (behindMs: number, { tookMs = 0 } = {}) => {
    const sentAt = new Date(now);
    now += tookMs;
    watch.compare(new Date(now - behindMs), sentAt);
  };
  return {
    watch,
    logged,
    call,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

it('logs a difference once, however many responses show it, and logs once that it is gone', () => {
  const { logged, call, pass } = startWatch();
  for (let n = 0; n < 300; n += 1) call(3_600_000);
  expect(logged).toEqual(['warn 3600000']);
  // Two instances of authorization, one of them in step with our clock.
  call(0);
  call(3_600_000);
  expect(logged).toHaveLength(1);
  pass(59_999);
  call(0);
  expect(logged).toHaveLength(1);
  pass(1);
  call(0);
  expect(logged).toEqual(['warn 3600000', 'info 0']);
  call(-3_600_000);
  expect(logged.at(-1)).toBe('warn -3600000');
});

it('does not count a slow response as a clock difference', () => {
  const { watch, logged, call } = startWatch();
  call(0, { tookMs: 5_000 });
  call(4_999, { tookMs: 5_000 });
  expect(watch.difference()?.aheadMs).toBe(0);
  expect(logged).toEqual([]);
  call(6_000, { tookMs: 5_000 });
  expect(watch.difference()?.aheadMs).toBe(1_000);
});

it('computes authorization’s time from the last response', () => {
  const { watch, call } = startWatch();
  const ours = new Date(START);
  expect(watch.authorizationTime(ours)).toEqual(ours);
  call(3_600_000);
  expect(watch.authorizationTime(ours)).toEqual(new Date(START - 3_600_000));
  call(-60_000);
  expect(watch.authorizationTime(ours)).toEqual(new Date(START + 60_000));
});
