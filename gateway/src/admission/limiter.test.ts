/** Tests the limiter in front of a simulated server that works on several requests at once and has an unlimited queue. */
import { describe, expect, it } from 'vitest';
import { createLimiter } from './limiter.ts';

interface Load {
  caller: string;
  perSecond: number;
  fromMs: number;
  untilMs: number;
}

interface Outcome {
  caller: string;
  atMs: number;
  /** Undefined if the request was refused. */
  tookMs: number | undefined;
}

const WORKERS = 20;

/** Loads arrive evenly. A burst is a load of one millisecond. Time advances in steps of a millisecond. */
function simulate({ capacityPerSecond, loads, stall }: Simulation): Outcome[] {
  let nowMs = 0;
  const limiter = createLimiter(() => nowMs);
  const serviceMs = (WORKERS * 1000) / capacityPerSecond;
  const queue: Outcome[] = [];
  const working: { outcome: Outcome; endsMs: number }[] = [];
  const outcomes: Outcome[] = [];
  const endMs = Math.max(...loads.map(({ untilMs }) => untilMs)) + 10_000;

  for (; nowMs < endMs; nowMs += 1) {
    const isStalled = stall !== undefined && nowMs >= stall.fromMs && nowMs < stall.untilMs;
    for (let index = isStalled ? -1 : working.length - 1; index >= 0; index -= 1) {
      const { outcome, endsMs } = working[index] as (typeof working)[number];
      if (endsMs > nowMs) continue;
      working.splice(index, 1);
      outcome.tookMs = nowMs - outcome.atMs;
      limiter.finish(outcome.caller);
    }
    for (const load of loads) {
      for (let count = arrivals(load, nowMs); count > 0; count -= 1) {
        const outcome: Outcome = { caller: load.caller, atMs: nowMs, tookMs: undefined };
        outcomes.push(outcome);
        if (limiter.admit(load.caller)) queue.push(outcome);
      }
    }
    while (!isStalled && working.length < WORKERS && queue.length > 0) {
      working.push({ outcome: queue.shift() as Outcome, endsMs: nowMs + serviceMs });
    }
  }
  return outcomes;
}

interface Simulation {
  capacityPerSecond: number;
  loads: Load[];
  stall?: { fromMs: number; untilMs: number };
}

function arrivals({ perSecond, fromMs, untilMs }: Load, atMs: number): number {
  if (atMs < fromMs || atMs >= untilMs) return 0;
  const until = (ms: number) => Math.floor(((ms - fromMs) * perSecond) / 1000);
  return until(atMs + 1) - until(atMs);
}

const steady = (caller: string, perSecond: number, untilMs = 20_000, fromMs = 0) => ({
  caller,
  perSecond,
  fromMs,
  untilMs,
});
const burst = (caller: string, count: number, atMs: number) => steady(caller, count * 1000, atMs + 1, atMs);
const accepted = (outcomes: Outcome[]) => outcomes.flatMap(({ tookMs }) => tookMs ?? []);
const refused = (outcomes: Outcome[]) => outcomes.filter(({ tookMs }) => tookMs === undefined);
const by = (outcomes: Outcome[], caller: string) => outcomes.filter((each) => each.caller === caller);

function quantile(values: number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

describe.each([200, 800, 4_000])(
  'in front of a server that handles %d requests a second',
  (capacityPerSecond) => {
    it('keeps the goodput and bounds the time at a load of three times that', () => {
      const outcomes = simulate({ capacityPerSecond, loads: [steady('all', 3 * capacityPerSecond)] });
      const times = accepted(outcomes);
      expect(times.length / 20 / capacityPerSecond).toBeGreaterThan(0.97);
      expect(quantile(times, 0.5)).toBeLessThan(600);
      expect(quantile(times, 0.99)).toBeLessThan(1_000);
    });

    it('refuses no request at half of that load, nor at nine tenths', () => {
      for (const share of [0.5, 0.9]) {
        const outcomes = simulate({ capacityPerSecond, loads: [steady('all', share * capacityPerSecond)] });
        expect(refused(outcomes)).toEqual([]);
      }
    });

    it('admits a burst of 500 after an idle time', () => {
      const outcomes = simulate({ capacityPerSecond, loads: [burst('one', 500, 5_000)] });
      expect(accepted(outcomes)).toHaveLength(500);
    });

    it('is back to normal two seconds after an overload', () => {
      const loads = [
        steady('all', 3 * capacityPerSecond, 10_000),
        steady('later', capacityPerSecond / 2, 20_000, 12_000),
        burst('burst', 200, 21_000),
      ];
      const outcomes = simulate({ capacityPerSecond, loads });
      expect(refused(outcomes).filter(({ atMs }) => atMs > 12_000)).toEqual([]);
      expect(quantile(accepted(by(outcomes, 'later')).slice(0, 50), 0.5)).toBeLessThan(500);
    });

    it('serves a modest caller beside one that floods', () => {
      const loads = [
        steady('flood', 5 * capacityPerSecond),
        steady('modest', capacityPerSecond / 10, 20_000, 2_000),
      ];
      const outcomes = simulate({ capacityPerSecond, loads });
      expect(refused(by(outcomes, 'modest'))).toEqual([]);
      expect(quantile(accepted(by(outcomes, 'modest')), 0.99)).toBeLessThan(1_000);
      expect(accepted(outcomes).length / 20 / capacityPerSecond).toBeGreaterThan(0.97);
    });

    it('shares the limit evenly among callers that all flood', () => {
      const loads = [
        steady('a', 4 * capacityPerSecond),
        steady('b', capacityPerSecond),
        steady('c', capacityPerSecond),
      ];
      const outcomes = simulate({ capacityPerSecond, loads });
      for (const caller of ['a', 'b', 'c']) {
        expect(accepted(by(outcomes, caller)).length / 20 / capacityPerSecond).toBeGreaterThan(0.25);
      }
    });

    it('admits all requests during a short stall at half load', () => {
      const loads = [steady('all', capacityPerSecond / 2)];
      const outcomes = simulate({ capacityPerSecond, loads, stall: { fromMs: 5_000, untilMs: 5_250 } });
      expect(refused(outcomes)).toEqual([]);
    });
  },
);

it('admits no more than the burst if no request ever completes', () => {
  let nowMs = 0;
  const limiter = createLimiter(() => nowMs);
  let admitted = 0;
  for (; nowMs < 10_000; nowMs += 1) if (limiter.admit('one')) admitted += 1;
  expect(admitted).toBeLessThanOrEqual(1_000);
});

it('does not let callers with one request each exceed the limit permanently', () => {
  let nowMs = 0;
  const limiter = createLimiter(() => nowMs);
  let admitted = 0;
  for (; nowMs < 10_000; nowMs += 1) if (limiter.admit(`caller ${nowMs}`)) admitted += 1;
  expect(admitted).toBeLessThanOrEqual(1_064);
});
