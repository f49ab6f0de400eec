import { describe, expect, it } from 'vitest';
import { createBatcher, ok } from '../batching/batcher.ts';
import { currentTrace, outsideRequests, runInTrace, traceFrom } from './trace.ts';

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
    expect(trace.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
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
