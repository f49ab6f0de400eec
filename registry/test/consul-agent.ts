/** The real Consul of the tests: a shared one, and separate agents that tests can kill, wipe and restart. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import type { ConsulConnection } from '../src/index.ts';
import { SOON } from './patience.ts';

const AGENT_CONFIG = fileURLToPath(new URL('../consul/agent.hcl', import.meta.url));

/** The shared Consul. Its token may register services whose names begin with `test-`. Use unique names, and clean up. */
export function sharedConsul(): ConsulConnection {
  const url = required('TEST_CONSUL_URL', 'the address of a running Consul, such as http://127.0.0.1:8500');
  const { TEST_CONSUL_CA_FILE: caFile, TEST_CONSUL_TOKEN: token } = process.env;
  return { url, ...(caFile && { ca: readFileSync(caFile, 'utf8') }), ...(token && { token }) };
}

export interface ConsulAgent {
  url: string;
  start(): Promise<void>;
  /** Makes the agent accept connections without answering. Ends with kill. */
  freeze(): Promise<void>;
  /** Kills the agent with kill -9. Its data stays. */
  kill(): Promise<void>;
  /** Deletes the agent's data. Only while it is not running. */
  wipe(): Promise<void>;
}

/** Creates a separate agent on free ports, without starting it. */
export async function prepareConsulAgent(): Promise<ConsulAgent> {
  const binary = required('TEST_CONSUL_BIN', 'the path of a consul binary');
  const dataDir = await mkdtemp(join(tmpdir(), 'payflowx-consul-'));
  const [http, server, serf] = await Promise.all([freePort(), freePort(), freePort()]);
  const url = `http://127.0.0.1:${http}`;
  const ports = [`-http-port=${http}`, `-server-port=${server}`, `-serf-lan-port=${serf}`];
  let running: ReturnType<typeof spawn> | undefined;

  return {
    url,
    async start() {
      running = spawn(binary, ['agent', `-config-file=${AGENT_CONFIG}`, `-data-dir=${dataDir}`, ...ports], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      await vi.waitFor(() => requireLeader(url), SOON);
    },
    async freeze() {
      running?.kill('SIGSTOP');
      // On a busy machine a signal takes effect a little later.
      await vi.waitFor(() => requireSilence(url), SOON);
    },
    async kill() {
      if (running === undefined) return;
      const exited = once(running, 'exit');
      running.kill('SIGKILL');
      await exited;
      running = undefined;
    },
    wipe: () => rm(dataDir, { recursive: true, force: true }),
  };
}

async function requireLeader(url: string): Promise<void> {
  const answer = await fetch(`${url}/v1/status/leader`);
  if (!/:\d+/.test(await answer.text())) throw new Error(`Consul at ${url} has no leader yet.`);
}

async function requireSilence(url: string): Promise<void> {
  const answer = await fetch(`${url}/v1/agent/self`, { signal: AbortSignal.timeout(500) }).catch(
    () => undefined,
  );
  if (answer !== undefined) throw new Error(`Consul at ${url} still answers.`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

function required(variable: string, meaning: string): string {
  const value = process.env[variable];
  if (!value)
    throw new Error(
      `These tests need a real Consul. "make test" sets it up; to run them alone, set ${variable} to ${meaning}.`,
    );
  return value;
}
