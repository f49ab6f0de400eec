/** Tests of the command line, run as a process. */

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { type ConsulConnection, joinRegistry } from '../src/index.ts';
import { sharedConsul } from './consul-agent.ts';
import { SOON } from './patience.ts';
import { recordLog } from './recorded-log.ts';
import { serveWho } from './who-server.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
let consul: ConsulConnection;

beforeEach(() => {
  consul = sharedConsul();
});

function run(args: string[], url = consul.url): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [CLI, ...args],
      { env: { ...process.env, ...consulVariables(), CONSUL_URL: url } },
      (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}

function consulVariables(): Record<string, string> {
  const { TEST_CONSUL_CA_FILE = '', TEST_CONSUL_TOKEN = '' } = process.env;
  return { CONSUL_CA_FILE: TEST_CONSUL_CA_FILE, CONSUL_TOKEN: TEST_CONSUL_TOKEN };
}

async function joinWho(service: string) {
  const server = await serveWho('anna');
  onTestFinished(() => server.crash());
  const instance = {
    name: service,
    id: `${service}-anna`,
    host: '127.0.0.1',
    port: server.port,
    check: 'grpc' as const,
  };
  const membership = await joinRegistry({ consul, log: recordLog() }, instance);
  onTestFinished(() => membership.leave());
  return server;
}

it('shows instance, address and health, and exits with 1 if one is not healthy', async () => {
  const service = `test-who-${randomUUID()}`;
  const server = await joinWho(service);
  const row = new RegExp(`^${service}  ${service}-anna  127.0.0.1:${server.port}  passing$`, 'm');
  await vi.waitFor(async () => expect(await run(['instances', service])).toMatchObject({ code: 0 }), SOON);
  expect((await run(['instances', service])).out).toMatch(row);
  expect((await run([])).out).toMatch(row);

  server.setHealthy(false);
  await vi.waitFor(async () => expect(await run(['instances', service])).toMatchObject({ code: 1 }), SOON);
  const { out } = await run(['instances', service, '--json']);
  expect(JSON.parse(out)).toMatchObject([
    { service, address: `127.0.0.1:${server.port}`, health: 'critical' },
  ]);
});

it('reports a service without instances', async () => {
  const service = `test-who-${randomUUID()}`;
  expect(await run(['instances', service])).toMatchObject({
    code: 1,
    out: `No instance of ${service} is registered.\n`,
  });
});

it('explains the remedy if Consul is unavailable', async () => {
  const { code, err } = await run(['list'], 'http://127.0.0.1:1');
  expect(code).toBe(3);
  expect(err).toContain('ECONNREFUSED');
  expect(err).toContain('make up');
});

it('prints its usage for wrong arguments', async () => {
  for (const args of [['instances'], ['lst'], ['--jsn'], ['list', 'payment']]) {
    const { code, err } = await run(args);
    expect(code).toBe(2);
    expect(err).toContain('instances <service>');
  }
});
