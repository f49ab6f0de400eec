import { afterEach, describe, expect, it } from 'vitest';
import { createBatcher, ok } from '../batching/batcher.ts';
import { createAllowance, sampleTraces } from './sampling.ts';
import { currentTrace, isSampled, outsideRequests, runInTrace, traceFrom, traceOfStranger } from './trace.ts';

const T = '0123456789abcdef0123456789abcdef';
const S = '0123456789abcdef';

describe('a traceparent header', () => {
  it.each([
    [`00-${T}-${S}-01`, `00-${T}-${S}-01`],
    [`00-${T}-${S}-00`, `00-${T}-${S}-00`],
    [`00-${T}-${S}-03`, `00-${T}-${S}-03`],
    [`01-${T}-${S}-01`, `00-${T}-${S}-01`],
    [`01-${T}-${S}-ff`, `00-${T}-${S}-01`],
    [`01-${T}-${S}-01-anything`, `00-${T}-${S}-01`],
    [`01-${T}-${S}-01-é`, `00-${T}-${S}-01`],
    [`01-${T}-${S}-01-\0`, `00-${T}-${S}-01`],
  ])('is continued by its parts: %j', (header, forwarded) => {
    expect(traceFrom(header, 'req')).toEqual({ traceId: T, traceparent: forwarded, requestId: 'req' });
  });

  it.each([
    '',
    `00-${T}-${S}-01\u00a0`,
    ` 00-${T}-${S}-01`,
    `00-${T}-${S}-01-x`,
    `00-${T}-${S}-04`,
    `ff-${T}-${S}-01`,
    `00-${'0'.repeat(32)}-${S}-01`,
    `00-${T}-${'0'.repeat(16)}-01`,
    `00-${T.toUpperCase()}-${S}-01`,
    `01-${T}-${S}-01-${'a'.repeat(1_200_000)}`,
  ])('is replaced by a new trace: %#', (header) => {
    const trace = traceFrom(header);
    expect(trace.traceId).not.toBe(T);
    expect(trace.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });
});

describe('the choice of recorded traces', () => {
  afterEach(() => sampleTraces(undefined));

  it.each([
    [undefined, 0],
    [0, 0],
    [1, 1_000],
  ])('of a share of %s takes %s of 1,000 new traces', (share, count) => {
    sampleTraces(share);
    const traces = Array.from({ length: 1_000 }, () => traceFrom(undefined));
    expect(traces.filter(isSampled)).toHaveLength(count);
  });

  it('takes about the share', () => {
    sampleTraces(0.01);
    const traces = Array.from({ length: 20_000 }, () => traceFrom(undefined));
    expect(traces.filter(isSampled).length).toBeGreaterThan(100);
    expect(traces.filter(isSampled).length).toBeLessThan(300);
  });

  it('follows the flag of another service, and does not depend on the trace id', () => {
    sampleTraces(0);
    expect(isSampled(traceFrom(`00-${T}-${S}-01`))).toBe(true);
    sampleTraces(1);
    expect(isSampled(traceFrom(`00-${T}-${S}-00`))).toBe(false);
  });

  it('follows the flag of an outside caller within an allowance only', () => {
    sampleTraces(0);
    const traces = Array.from({ length: 1_000 }, () => traceOfStranger(`00-${T}-${S}-01`));
    const followed = traces.filter(isSampled).length;
    expect(followed).toBeGreaterThan(0);
    expect(followed).toBeLessThan(30);
    // Their own span is the parent of ours.
    expect(traces.every(({ traceId, span }) => traceId === T && span?.parentId === S)).toBe(true);
  });

  it('ignores the flag of an outside caller while nothing is recorded', () => {
    const trace = traceOfStranger(`00-${T}-${S}-01`, 'req');
    expect(trace).toMatchObject({ traceId: T, requestId: 'req' });
    expect(trace.traceparent).toMatch(new RegExp(`^00-${T}-[0-9a-f]{16}-00$`));
  });
});

it('an allowance lets its burst through, and then its rate', () => {
  let now = 0;
  const mayPass = createAllowance(2, 3, () => now);
  const passed = () => Array.from({ length: 10 }, mayPass).filter(Boolean).length;
  expect(passed()).toBe(3);
  expect(passed()).toBe(0);
  now += 1_000;
  expect(passed()).toBe(2);
  now += 60_000;
  expect(passed()).toBe(3);
});

describe('work for many requests', () => {
  it('runs in the trace of none of them', async () => {
    const trace = traceFrom(undefined);
    const traces = await runInTrace(trace, async () => [
      currentTrace(),
      outsideRequests(currentTrace),
      await createBatcher<undefined, unknown>({
        flush: async (items) => items.map(() => ok(currentTrace())),
      }).submit(undefined),
    ]);
    expect(traces).toEqual([trace, undefined, undefined]);
  });
});
