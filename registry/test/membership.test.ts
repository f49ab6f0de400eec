/** Tests of an instance's entry in Consul. */

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { joinRegistry } from '../src/index.ts';
import { sharedConsulUrl } from './consul-agent.ts';
import { SOON } from './patience.ts';
import { recordLog } from './recorded-log.ts';

let consulUrl: string;

beforeEach(() => {
  consulUrl = sharedConsulUrl();
});

async function healthOf(service: string): Promise<string[]> {
  const answer = await fetch(`${consulUrl}/v1/health/checks/${service}`);
  return ((await answer.json()) as { Status: string }[]).map(({ Status }) => Status);
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
  const name = `web-${randomUUID()}`;
  const instance = { name, id: name, host: '127.0.0.1', port, check: { http: '/healthz' } };
  const membership = await joinRegistry({ consulUrl, log: recordLog() }, instance);
  onTestFinished(() => membership.leave());

  await vi.waitFor(async () => expect(await healthOf(name)).toEqual(['passing']), SOON);
  expect(asked).toContain('/healthz');

  await membership.leave();
  expect(await healthOf(name)).toEqual([]);
});

it('is registered again after another process has deregistered it', async () => {
  const name = `who-${randomUUID()}`;
  const instance = { name, id: name, host: '127.0.0.1', port: 50_051 };
  const membership = await joinRegistry({ consulUrl, log: recordLog() }, instance);
  onTestFinished(() => membership.leave());
  await fetch(`${consulUrl}/v1/agent/service/deregister/${name}`, { method: 'PUT' });
  await vi.waitFor(async () => expect(await healthOf(name)).toEqual(['critical']), SOON);
});

it('does nothing without a registry', async () => {
  const log = recordLog();
  const instance = { name: 'who', id: 'who-1', host: '127.0.0.1', port: 50_051 };
  const membership = await joinRegistry({ consulUrl: '', log }, instance);
  await membership.leave();
  expect(log.messages).toEqual([]);
});

it('refuses an address that callers cannot reach', async () => {
  const wildcard = { name: 'who', id: 'who-1', host: '0.0.0.0', port: 50_051 };
  await expect(joinRegistry({ consulUrl, log: recordLog() }, wildcard)).rejects.toThrow(
    'must be reachable for callers',
  );
});
