/** Consul as one server agent that keeps nothing: services register again when it comes back empty. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { local } from '../paths.ts';
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
      const config = join(folder, 'consul.json');
      await writeFile(config, JSON.stringify(configuration(settings), null, 2));
      // -dev keeps its state in memory and elects itself in a fraction of a second instead of five.
      const command = [binary, 'agent', '-dev', '-config-file', config];
      return [{ name: 'consul', command, folder, env: {}, stopSignal: 'TERM' }];
    },
    async ping() {
      const answer = await fetch(new URL('/v1/status/leader', url), { signal: AbortSignal.timeout(2_000) });
      if (!answer.ok || (await answer.json()) === '') throw new Error('no leader yet');
    },
  };
}

/** The Consul of this machine, else the one that was built. */
export async function findConsul(): Promise<string | undefined> {
  return (await which('consul')) ?? ((await hasConsulBinary()) ? consulBinary : undefined);
}

function configuration({ ports }: Settings) {
  return {
    node_name: 'payflowx',
    bind_addr: '127.0.0.1',
    client_addr: '127.0.0.1',
    log_level: 'warn',
    disable_update_check: true,
    disable_remote_exec: true,
    ports: {
      http: ports.consul,
      server: ports.consul_server,
      serf_lan: ports.consul_serf,
      serf_wan: -1,
      dns: -1,
      grpc: -1,
      grpc_tls: -1,
      https: -1,
    },
  };
}
