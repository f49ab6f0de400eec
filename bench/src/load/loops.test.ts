import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLatencies } from './latencies.ts';
import { createSchedule, runLoop } from './loops.ts';

describe('an open loop', () => {
  it('keeps its rate: requests that could not be sent in time keep their due time', () => {
    const schedule = createSchedule(1_000, 100, 1);
    expect(schedule.takeDue(1_000)).toEqual([1_000]);
    expect(schedule.takeDue(1_005)).toEqual([]);
    // The process was blocked for 40 ms.
    expect(schedule.takeDue(1_045)).toEqual([1_010, 1_020, 1_030, 1_040]);
    expect(schedule.takeDue(9_999).length).toBe(95);
    expect(schedule.isOver()).toBe(true);
  });

  it('counts waiting as latency: a stall is visible in every request that was due in it', async () => {
    const latencies = createLatencies();
    let stalled = false;
    await runLoop({ kind: 'open', rate: 500, seconds: 0.4 }, async (dueMs, finishing) => {
      if (finishing) return false;
      if (!stalled) {
        stalled = true;
        const until = performance.now() + 200;
        while (performance.now() < until);
      }
      latencies.record('pay', dueMs, performance.now());
      return true;
    });
    const { pay } = latencies.figures();
    expect(pay?.count).toBe(200);
    // Half of the requests were due during the stall, evenly spread over it. So the median of all is near 0 … 20 ms.
    expect(pay?.p95).toBeGreaterThan(150);
    expect(pay?.max).toBeGreaterThanOrEqual(200);
  });
});

describe('a closed loop', () => {
  it('has one request in flight for each worker, and finishes payments that were begun', async () => {
    let inFlight = 0;
    let most = 0;
    let left = 3;
    await runLoop({ kind: 'closed', workers: 4, seconds: 0.05 }, async (_, finishing) => {
      if (finishing && left-- <= 0) return false;
      inFlight += 1;
      most = Math.max(most, inFlight);
      await pause(2);
      inFlight -= 1;
      return true;
    });
    expect(most).toBe(4);
    expect(left).toBeLessThan(0);
  });
});

describe('latencies', () => {
  it('have three digits, from microseconds to minutes', () => {
    const latencies = createLatencies();
    for (let ms = 1; ms <= 1_000; ms += 1) latencies.record('pay', 0, ms);
    latencies.record('pay', 0, 120_000);
    const { pay } = latencies.figures();
    expect(pay?.count).toBe(1_001);
    expect(Math.abs((pay?.p50 ?? 0) - 501)).toBeLessThan(1);
    expect(Math.abs((pay?.p99 ?? 0) - 991)).toBeLessThan(2);
    expect(Math.abs((pay?.max ?? 0) - 120_000)).toBeLessThan(200);
  });
});
