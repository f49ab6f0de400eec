/** The spans of a process, as a collector gets them. */
import { setTimeout as pause } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { AuthServiceClient, AuthServiceService } from '@payflowx/proto/auth';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CallError,
  connectGrpc,
  createBatcher,
  failed,
  newTrace,
  ok,
  recordSpan,
  runInTrace,
  type Trace,
} from '../src/index.ts';
import { startTraces, type TracesSender } from '../src/process/start-traces.ts';
import { SLOW_MS } from '../src/telemetry/spans.ts';
import {
  createTestIdentity,
  eventually,
  fakeService,
  PATIENCE_MS,
  recordingLog,
  startTestServer,
  testCertificates,
} from '../src/testing/index.ts';
import { type Collector, startCollector } from './collector.ts';

const { log, lines } = recordingLog();
const identity = createTestIdentity();
let collector: Collector;
let sender: TracesSender | undefined;

async function start({ endpoint = collector.endpoint, ratio = 0 } = {}): Promise<void> {
  sender = await startTraces({ service: 'test', instanceId: 'test-1' }, { endpoint, ratio }, log);
}

/** Sends everything, and returns the spans by name. */
async function received() {
  await sender?.stop();
  return Map.groupBy(collector.spans, ({ name }) => name);
}

beforeEach(async () => {
  collector = await startCollector();
});
afterEach(async () => {
  await sender?.stop();
  sender = undefined;
  await collector.close();
});

const facts = (name: string) => () => ({ name });

async function startAuth(handlers: Parameters<typeof fakeService<typeof AuthServiceService, 'getJwks'>>[1]) {
  const server = await startTestServer(identity.verifier, [fakeService(AuthServiceService, handlers)]);
  const connect = (as?: 'gateway') =>
    connectGrpc(AuthServiceClient, { target: server.target, certificates: testCertificates(as) });
  return { server, connect };
}

describe('a span', () => {
  it('has its times, its kind of failure, and one root in its trace', async () => {
    await start();
    const trace = newTrace(true);
    recordSpan(trace, performance.now() - 40, 'UNAVAILABLE', facts('work'));
    const [span] = (await received()).get('work') ?? [];
    expect(span).toMatchObject({
      traceId: trace.traceId,
      spanId: trace.span?.id,
      status: { code: 2 },
      attributes: { 'error.type': 'UNAVAILABLE' },
    });
    expect(span?.parentSpanId ?? '').toBe('');
    expect(span?.durationMs).toBeGreaterThanOrEqual(40);
    expect(collector.bodies.join()).toContain('"service.name"');
  });

  it('of a trace that is not sampled is recorded if it failed or was slow, and not otherwise', async () => {
    await start();
    const trace = newTrace(false);
    recordSpan(trace, performance.now(), undefined, facts('fast'));
    recordSpan(trace, performance.now() - SLOW_MS, undefined, facts('slow'));
    recordSpan(trace, performance.now(), 'INTERNAL', facts('failed'));
    const spans = await received();
    expect([...spans.keys()]).toEqual(['slow', 'failed']);
    expect(spans.get('slow')?.[0]).toMatchObject({ traceId: trace.traceId, spanId: trace.span?.id });
  });

  it('is not recorded without an endpoint', async () => {
    await start({ endpoint: '' });
    expect(sender).toBeUndefined();
    let described = 0;
    recordSpan(newTrace(true), 0, 'INTERNAL', () => ({ name: String(++described) }));
    expect(described).toBe(0);
  });

  it('never fails the work that it describes', async () => {
    await start();
    const describe = () => {
      throw new Error('a mistake in the description');
    };
    expect(() => recordSpan(newTrace(true), 0, undefined, describe)).not.toThrow();
  });
});

describe('a call', () => {
  it('has a span at each end, in the trace of the caller', async () => {
    await start();
    const { server, connect } = await startAuth({ getJwks: async () => ({ keys: [] }) });
    const auth = connect('gateway');
    const trace = newTrace(true);
    await runInTrace(trace, () => auth.getJwks({}, { deadlineMs: PATIENCE_MS }));
    auth.close();
    await server.stop();
    const [client, served] = ((await received()).get('payflowx.auth.v1.AuthService/GetJwks') ?? []).toSorted(
      (a, b) => b.kind - a.kind,
    );
    expect(client).toMatchObject({ kind: 3, traceId: trace.traceId, parentSpanId: trace.span?.id });
    expect(served).toMatchObject({ kind: 2, traceId: trace.traceId, parentSpanId: client?.spanId });
    expect(served?.attributes).toEqual({
      'rpc.system.name': 'grpc',
      'rpc.method': 'payflowx.auth.v1.AuthService/GetJwks',
      'rpc.response.status_code': 'OK',
    });
  });

  it('that fails by a fault of the server is recorded although it is not sampled', async () => {
    await start();
    const { server, connect } = await startAuth({
      getJwks: () => Promise.reject(new Error('a bug')),
    });
    const auth = connect('gateway');
    const call = runInTrace(newTrace(false), () => auth.getJwks({}, { deadlineMs: PATIENCE_MS }));
    await expect(call).rejects.toMatchObject({ code: status.INTERNAL });
    auth.close();
    await server.stop();
    const spans = (await received()).get('payflowx.auth.v1.AuthService/GetJwks');
    expect(spans).toMatchObject([{ kind: 2, attributes: { 'error.type': 'INTERNAL' } }]);
    expect(collector.bodies.join()).not.toContain('a bug');
  });

  it('of an outside caller is sampled within an allowance only, and keeps its trace id', async () => {
    await start();
    const traces: (Trace | undefined)[] = [];
    const { server, connect } = await startAuth({
      getJwks: async (_, call) => {
        traces.push(call.trace);
        return { keys: [] };
      },
    });
    const stranger = connect();
    const asked = newTrace(true);
    const calls = Array.from({ length: 60 }, () =>
      runInTrace(asked, () => stranger.getJwks({}, { deadlineMs: PATIENCE_MS })),
    );
    await Promise.all(calls);
    stranger.close();
    await server.stop();
    const sampled = traces.filter((trace) => trace?.traceparent.endsWith('-01')).length;
    expect(new Set(traces.map((trace) => trace?.traceId))).toEqual(new Set([asked.traceId]));
    expect(sampled).toBeGreaterThan(0);
    expect(sampled).toBeLessThan(40);
  });
});

describe('a batch', () => {
  it('is a span with links to its items, whose spans are in their own traces', async () => {
    await start();
    let calledIn: string | undefined;
    const batcher = createBatcher<string, string>({
      name: 'settle',
      flush: async (items) => {
        calledIn = (await import('../src/index.ts')).currentTrace()?.traceId;
        return items.map((item) =>
          item === 'bad' ? failed(new CallError('DATABASE_UNAVAILABLE', 'no')) : ok(item),
        );
      },
    });
    const [first, second, unsampled] = [newTrace(true), newTrace(true), newTrace(false)];
    await Promise.allSettled([
      runInTrace(first, () => batcher.submit('good')),
      runInTrace(second, () => batcher.submit('bad')),
      runInTrace(unsampled, () => batcher.submit('other')),
    ]);
    const spans = await received();
    const [batch] = spans.get('batch settle') ?? [];
    const items = spans.get('settle') ?? [];
    expect(items.map(({ traceId, parentSpanId }) => [traceId, parentSpanId])).toEqual([
      [first.traceId, first.span?.id],
      [second.traceId, second.span?.id],
    ]);
    expect(items.map(({ status }) => status.code ?? 0)).toEqual([0, 2]);
    expect(batch?.attributes['payflowx.batch.size']).toBe(3);
    expect(batch?.links.map(({ traceId, spanId }) => [traceId, spanId])).toEqual(
      items.map(({ traceId, spanId }) => [traceId, spanId]),
    );
    expect(items[0]?.links).toMatchObject([{ traceId: batch?.traceId, spanId: batch?.spanId }]);
    // Calls of the flush belong to the batch, and to no item.
    expect(calledIn).toBe(batch?.traceId);
  });

  it('of traces that are not sampled leaves no spans', async () => {
    await start();
    const batcher = createBatcher<number, number>({ name: 'settle', flush: async (items) => items.map(ok) });
    await runInTrace(newTrace(false), () => batcher.submit(1));
    expect((await received()).size).toBe(0);
  });
});

describe('a collector', () => {
  it('that hangs loses spans, and delays neither work nor the shutdown', async () => {
    collector.isHung = true;
    await start({ ratio: 1 });
    const trace = newTrace(true);
    const before = process.memoryUsage().heapUsed;
    const startedAt = performance.now();
    for (let n = 0; n < 200_000; n += 1) {
      recordSpan(trace, performance.now(), undefined, facts('work'));
      if (n % 20_000 === 0) await pause(1);
    }
    // The queue is bounded: 200,000 spans would take hundreds of megabytes.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(150_000_000);
    const workMs = performance.now() - startedAt;
    await sender?.stop();
    expect(performance.now() - startedAt - workMs).toBeLessThan(PATIENCE_MS);
    expect(collector.spans).toEqual([]);
  });

  it('that is unavailable loses spans, is logged once, and gets the later ones when it is back', async () => {
    const { endpoint } = collector;
    await collector.close();
    await start({ endpoint });
    recordSpan(newTrace(true), performance.now(), undefined, facts('lost'));
    const isLogged = () => lines.filter(({ message }) => String(message).includes('they are lost')).length;
    await eventually(() => expect(isLogged()).toBe(1));
    await sender?.stop();
    collector = await startCollector();
    await start();
    recordSpan(newTrace(true), performance.now(), undefined, facts('later'));
    expect([...(await received()).keys()]).toEqual(['later']);
  });

  it('with an address that is none is logged, and the service runs without traces', async () => {
    await start({ endpoint: 'no address' });
    expect(sender).toBeUndefined();
    expect(lines.at(-1)?.message).toContain('the service runs without them');
  });
});
