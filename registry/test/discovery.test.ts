/** Members find and leave each other through the shared Consul. */

import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { type ConsulConnection, joinRegistry, type Membership, resolveThroughConsul } from '../src/index.ts';
import { sharedConsul } from './consul-agent.ts';
import { PATIENCE_MS, SOON } from './patience.ts';
import { connectWho, serveWho, startTraffic, type WhoClient, type WhoServer } from './who-server.ts';

const log = pino({ level: 'silent' });
const cleanups: (() => unknown)[] = [];
let consul: ConsulConnection;

beforeEach(() => {
  consul = sharedConsul();
  resolveThroughConsul({ consul, log });
});

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
});

async function serveAndJoin(service: string, name: string): Promise<WhoServer & { membership: Membership }> {
  const server = await serveWho(name);
  cleanups.push(() => server.crash());
  const instance = {
    name: service,
    id: `${service}-${name}`,
    host: '127.0.0.1',
    port: server.port,
    check: 'grpc' as const,
  };
  const membership = await joinRegistry({ consul, log }, instance);
  cleanups.push(() => membership.leave());
  return { ...server, membership };
}

function connect(service: string, options = {}): WhoClient {
  const client = connectWho(`consul:///${service}`, options);
  cleanups.push(() => client.close());
  return client;
}

const uniqueService = () => `test-who-${randomUUID()}`;

it('balances over two instances, adds a third and removes a leaving one, without a failed call', async () => {
  const service = uniqueService();
  const anna = await serveAndJoin(service, 'anna');
  await serveAndJoin(service, 'bert');
  const client = connect(service);
  await client.ask({ waitForReady: true, deadlineMs: PATIENCE_MS });
  const traffic = startTraffic(client);
  await vi.waitFor(async () => expect(await client.askMany(10)).toEqual(['anna', 'bert']), SOON);

  await serveAndJoin(service, 'cleo');
  await vi.waitFor(async () => expect(await client.askMany(12)).toEqual(['anna', 'bert', 'cleo']), SOON);

  await anna.membership.leave();
  await vi.waitFor(async () => expect(await client.askMany(12)).toEqual(['bert', 'cleo']), SOON);

  const { answered, errors } = await traffic.stop();
  expect(errors).toEqual([]);
  expect(answered).toBeGreaterThan(0);
});

it('calls only instances that pass their health check', async () => {
  const service = uniqueService();
  const anna = await serveAndJoin(service, 'anna');
  await serveAndJoin(service, 'bert');
  const client = connect(service);
  await vi.waitFor(async () => expect(await client.askMany(10)).toEqual(['anna', 'bert']), SOON);

  anna.setHealthy(false);
  await vi.waitFor(async () => expect(await client.askMany(10)).toEqual(['bert']), SOON);
  anna.setHealthy(true);
  await vi.waitFor(async () => expect(await client.askMany(10)).toEqual(['anna', 'bert']), SOON);
});

it('fails calls to a service without instances, and completes waiting calls once an instance joins', async () => {
  const service = uniqueService();
  const client = connect(service);
  await expect(client.ask()).rejects.toThrow(
    `UNAVAILABLE: No instance of ${service} passes its health check in Consul.`,
  );

  const waiting = client.ask({ waitForReady: true, deadlineMs: PATIENCE_MS });
  await serveAndJoin(service, 'anna');
  expect(await waiting).toBe('anna');
});

it('keeps the retry policy the caller configures', async () => {
  const service = uniqueService();
  const anna = await serveAndJoin(service, 'anna');
  const retryPolicy = {
    maxAttempts: 3,
    initialBackoff: '0.05s',
    maxBackoff: '0.2s',
    backoffMultiplier: 2,
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  const methodConfig = [{ name: [{ service: 'payflowx.registry.test.Who' }], retryPolicy }];
  const plain = connect(service, { 'grpc.use_local_subchannel_pool': 1 });
  const retrying = connect(service, { 'grpc.service_config': JSON.stringify({ methodConfig }) });
  await Promise.all(
    [plain, retrying].map((client) => client.ask({ waitForReady: true, deadlineMs: PATIENCE_MS })),
  );

  anna.failNext(1);
  await expect(plain.ask()).rejects.toThrow('UNAVAILABLE: told to fail');
  anna.failNext(2);
  expect(await retrying.ask()).toBe('anna');
});

it('uses one watch for all channels to a service', async () => {
  const service = uniqueService();
  await serveAndJoin(service, 'anna');
  const protocol = consul.url.startsWith('https:') ? await import('node:https') : await import('node:http');
  const asked = vi.spyOn(protocol.default, 'request');
  onTestFinished(() => asked.mockRestore());
  for (let channel = 0; channel < 5; channel += 1) {
    await connect(service).ask({ waitForReady: true, deadlineMs: PATIENCE_MS });
  }
  const firstQueries = asked.mock.calls.filter(([options]) => {
    const { path = '' } = options as { path?: string };
    return path.includes(`/health/service/${service}`) && path.includes('index=0');
  });
  expect(firstQueries).toHaveLength(1);
});

it('does not starve the event loop while all instances are down and Consul still lists them', async () => {
  const service = uniqueService();
  const servers = [await serveAndJoin(service, 'anna'), await serveAndJoin(service, 'bert')];
  const client = connect(service);
  await vi.waitFor(async () => expect(await client.askMany(10)).toEqual(['anna', 'bert']), SOON);

  for (const server of servers) server.crash();
  const traffic = startTraffic(client);
  let ticks = 0;
  const ticking = setInterval(() => {
    ticks += 1;
  }, 10);
  // A starved loop ticks not at all; a busy machine only makes it tick less often.
  await vi.waitFor(() => expect(ticks).toBeGreaterThan(100), SOON);
  clearInterval(ticking);
  const { errors } = await traffic.stop();

  expect(errors).not.toEqual([]);
});
