/** The figures of a process, as Prometheus reads them. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { counter, gauges, histogram } from '../src/telemetry/metrics.ts';
import { startMetrics } from '../src/telemetry/start-metrics.ts';
import { recordingLog } from '../src/testing/log.ts';

const HOST = '127.0.0.1';
const { log, lines } = recordingLog();
const payments = counter('test.payments', { description: 'Payments' });
const waits = histogram('test.wait', { description: 'Waits', unit: 's' });

const read = async (port: number) => (await fetch(`http://${HOST}:${port}/metrics`)).text();

/** One test, because a process has one set of figures. */
it('figures are nothing until they are served, survive a failing read, and end with the server', async () => {
  payments.add(1);
  const taken = createServer().listen(0, HOST);
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };

  // A service whose port is taken works without figures.
  expect(await startMetrics('test', { host: HOST, port }, log)).toBeUndefined();
  expect(lines.at(-1)).toMatchObject({ message: expect.stringContaining('runs without them') });
  payments.add(1);
  taken.close();
  await once(taken, 'close');

  const server = await startMetrics('test', { host: HOST, port }, log);
  payments.add(2, { state: 'COMPLETED' });
  waits.record(0.2, { batch: 'accept' });
  let backlog: () => number = () => 7;
  gauges({ 'test.backlog': { description: 'Backlog' } }, async () => [
    { name: 'test.backlog', value: backlog(), labels: { of: 'payments' } },
  ]);
  gauges({ 'test.hung': { description: 'Never answers' } }, () => new Promise(() => {}));
  const figures = await read(port);
  expect(figures).not.toMatch(/^test_payments_total \d/m);
  expect(figures).toContain('test_payments_total{state="COMPLETED"} 2');
  expect(figures).toContain('test_wait_seconds_bucket{batch="accept",le="0.25"} 1');
  expect(figures).toContain('test_backlog{of="payments"} 7');
  expect(figures).toMatch(/^v8js_memory_heap_used\{/m);
  expect(figures).toMatch(/^process_memory_usage_bytes \d+/m);

  backlog = () => {
    throw new Error('the database is away');
  };
  const later = await read(port);
  expect(later).toContain('test_backlog{of="payments"} NaN');
  // It needs some turns of the event loop.
  expect(later).toMatch(/^nodejs_eventloop_delay_p99/m);

  await server?.stop();
  await expect(read(port)).rejects.toThrow();
  payments.add(1);
});
