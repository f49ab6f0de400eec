import { beforeEach, expect, it } from 'vitest';
import { type ClockSkew, createClockSkew } from './clock-skew.ts';
import type { Call } from './server.ts';

const HOUR = 3_600_000;
const GATEWAY: Pick<Call, 'caller' | 'peer'> = {
  caller: { id: 'svc_gateway', roles: [] },
  peer: '10.0.0.1:5000',
};

let clock: number;
let skew: ClockSkew;
beforeEach(() => {
  clock = Date.parse('2025-03-10T09:00:00Z');
  skew = createClockSkew({ now: () => new Date(clock) });
});

/** Reads a message `afterMs` after the one before it. */
function read({ aheadMs = 0, delayMs = 2, afterMs = 10, from = GATEWAY } = {}) {
  clock += afterMs;
  return skew.aheadMs(new Date(clock - aheadMs - delayMs), from);
}

it('is the difference of the clocks if all messages show it', () => {
  for (const aheadMs of [HOUR, -HOUR]) {
    const from = { ...GATEWAY, peer: `host${aheadMs}:1` };
    for (let n = 0; n < 5; n += 1) expect(read({ aheadMs, from })).toBe(aheadMs + 2);
  }
});

it.each([1_000, 15_000, 90_000, HOUR])('ignores that messages lay unread for %s ms', (delayMs) => {
  read();
  expect(read({ afterMs: delayMs, delayMs })).toBe(2);
  expect(read({ afterMs: 0, delayMs: delayMs - 100 })).toBe(2);
  expect(read()).toBe(2);
});

it('ignores the delay after a long silence, and on a new connection', () => {
  read();
  const from = { ...GATEWAY, peer: '10.0.0.1:5001' };
  expect(read({ afterMs: HOUR, delayMs: 15_000, from })).toBe(2);
  expect(read({ afterMs: 0, delayMs: 14_000, from })).toBe(2);
});

it('accepts a change of the clocks after two minutes of messages', () => {
  read();
  const seen = Array.from({ length: 130 }, () => read({ aheadMs: 5_000, afterMs: 1_000 }));
  expect([seen[0], seen.at(-1)]).toEqual([2, 5_002]);
});

it('regards a first delay below a minute as no difference, for a second', () => {
  expect(read({ delayMs: 15_000 })).toBe(0);
  expect(read({ delayMs: 14_900 })).toBe(0);
  expect(read({ aheadMs: 14_000, afterMs: 1_000 })).toBe(14_002);
  expect(read()).toBe(2);
});

it('is measured separately for each caller and address', () => {
  read();
  const user = { caller: { id: 'usr_alice', roles: ['customer' as const] }, peer: GATEWAY.peer };
  expect(read({ aheadMs: -HOUR, from: user })).toBe(2 - HOUR);
  expect(read({ aheadMs: -HOUR, from: { ...GATEWAY, peer: '10.0.0.2:5000' } })).toBe(2 - HOUR);
  expect(read()).toBe(0);
  expect(read({ afterMs: 1_000 })).toBe(2);
});

it('forgets the sender that was silent for longest, beyond 1,000 senders', () => {
  const oldest = { ...GATEWAY, peer: 'oldest:1' };
  read({ from: oldest });
  read();
  for (let n = 0; n < 999; n += 1) read({ from: { ...GATEWAY, peer: `host${n}:1` } });
  expect(read({ delayMs: 5_000 })).toBe(2);
  expect(read({ delayMs: 5_000, from: oldest })).toBe(0);
});

it('is 0 for a message without a send time', () => {
  expect(skew.aheadMs(undefined, GATEWAY)).toBe(0);
});
