/** Tests of an instance's entry in Consul. */

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { openConsul } from '../src/consul-client.ts';
import { type ConsulConnection, joinRegistry } from '../src/index.ts';
import { sharedConsul } from './consul-agent.ts';
import { SOON } from './patience.ts';
import { recordLog } from './recorded-log.ts';

let consul: ConsulConnection;

beforeEach(() => {
  consul = sharedConsul();
});

async function healthOf(service: string): Promise<string[]> {
  const checks: { Status: string }[] = await openConsul(consul).health.checks({ service });
  return checks.map(({ Status }) => Status);
}

it('is checked over HTTP if the instance says so, and is removed on leaving', async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const name = `test-web-${randomUUID()}`;
  const instance = { name, id: name, host: '127.0.0.1', port, check: { http: '/healthz' } };
  const membership = await joinRegistry({ consul, log: recordLog() }, instance);
  onTestFinished(() => membership.leave());

  await vi.waitFor(async () => expect(await healthOf(name)).toEqual(['passing']), SOON);
  expect(asked).toContain('/healthz');

  await membership.leave();
  expect(await healthOf(name)).toEqual([]);
});

it('is registered again after another process has deregistered it', async () => {
  const name = `test-who-${randomUUID()}`;
  const instance = { name, id: name, host: '127.0.0.1', port: 50_051 };
  const membership = await joinRegistry({ consul, log: recordLog() }, instance);
  onTestFinished(() => membership.leave());
  await openConsul(consul).agent.service.deregister(name);
  await vi.waitFor(async () => expect(await healthOf(name)).toEqual(['critical']), SOON);
});

it('does nothing without a registry', async () => {
  const log = recordLog();
  const instance = { name: 'who', id: 'who-1', host: '127.0.0.1', port: 50_051 };
  const membership = await joinRegistry({ consul: { url: '' }, log }, instance);
  await membership.leave();
  expect(log.messages).toEqual([]);
});

it('refuses an address that callers cannot reach', async () => {
  const wildcard = { name: 'who', id: 'who-1', host: '0.0.0.0', port: 50_051 };
  await expect(joinRegistry({ consul, log: recordLog() }, wildcard)).rejects.toThrow(
    'must be reachable for callers',
  );
});
