/** Addresses of instances that will not come back. The fake Consul answers what the test says. */

import { EventEmitter } from 'node:events';
import type Consul from 'consul';
import { expect, it, vi } from 'vitest';
import { openDirectory, type Resolution } from '../src/directory.ts';
import { SOON } from './patience.ts';
import { recordLog } from './recorded-log.ts';

const GONE = { addresses: [{ host: '10.0.0.1', port: 50_051 }] };
const entry = { Node: { Address: '10.0.0.1' }, Service: { Address: '', Port: 50_051 } };

/** Subscribes to a service, and forgets its addresses after `forgetAfterMs` without a passing instance. */
function subscribe(forgetAfterMs: number) {
  const watch = Object.assign(new EventEmitter(), { end: () => {} });
  const consul = { health: { service: () => {} }, watch: () => watch } as unknown as Consul;
  const results: Resolution[] = [];
  const stop = openDirectory({ consul, log: recordLog() }, { forgetAfterMs }).subscribe('who', (result) =>
    results.push(result),
  );
  return { answer: (entries: unknown[]) => watch.emit('change', entries), results, stop };
}

it('forgets the last known addresses if Consul knows no passing instance for long', async () => {
  const { answer, results, stop } = subscribe(10);
  answer([entry]);
  answer([]);
  await vi.waitFor(() => expect(results).toHaveLength(2), SOON);
  expect(results).toEqual([GONE, { unavailable: 'No instance of who passes its health check in Consul.' }]);
  stop();
});

it('keeps them for a while, and does not forget them once an instance passes again', async () => {
  vi.useFakeTimers();
  const { answer, results, stop } = subscribe(60_000);
  answer([entry]);
  answer([]);
  vi.advanceTimersByTime(59_000);
  answer([entry]);
  vi.advanceTimersByTime(59_000);
  answer([]);
  vi.advanceTimersByTime(59_000);
  expect(results).toEqual([GONE]);
  stop();
  vi.useRealTimers();
});
