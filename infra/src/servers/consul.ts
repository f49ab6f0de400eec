/** Runs Consul as one server agent without stored data. Services register again after it restarts empty. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { local, root } from '../paths.ts';
import { which } from '../run.ts';
import type { Settings } from '../settings.ts';
import { consulBinary, hasConsulBinary } from './consul-build.ts';
import type { Server } from './server.ts';

const folder = join(local, 'consul');

export function consul(settings: Settings): Server {
  const url = settings.external.consul ?? `http://127.0.0.1:${settings.ports.consul}`;
  return {
    name: 'consul',
    url,
    ports: ['consul', 'consul_server', 'consul_serf'],
    async prepare() {
      const binary = await findConsul();
      if (!binary) throw new Error('Consul is prepared only when there is a binary.');
      await mkdir(folder, { recursive: true });
      const flags = [
        '-dev', // State in memory, and a leader after a fraction of a second instead of two.
        `-config-file=${join(root, 'registry/consul/agent.hcl')}`,
        '-node=payflowx',
        `-http-port=${settings.ports.consul}`,
        `-server-port=${settings.ports.consul_server}`,
        `-serf-lan-port=${settings.ports.consul_serf}`,
      ];
      return [{ name: 'consul', command: [binary, 'agent', ...flags], folder, env: {}, stopSignal: 'TERM' }];
    },
    async ping() {
      const answer = await fetch(new URL('/v1/status/leader', url), { signal: AbortSignal.timeout(2_000) });
      if (!answer.ok || (await answer.json()) === '') throw new Error('no leader yet');
    },
  };
}

/** The Consul on the PATH, or else the built one. */
export async function findConsul(): Promise<string | undefined> {
  return (await which('consul')) ?? ((await hasConsulBinary()) ? consulBinary : undefined);
}
