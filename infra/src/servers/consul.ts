/** Runs Consul as one server agent with TLS and access control. Its tokens are stored, so it can restart alone. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { local, root } from '../paths.ts';
import {
  ask,
  CONSUL_USERS,
  type ConsulUser,
  consulToken,
  type Management,
  managementToken,
  provisionConsul,
} from '../provision/consul.ts';
import { which } from '../run.ts';
import { withSecretFiles } from '../secret-files.ts';
import type { Secrets } from '../secrets.ts';
import type { ClientSettings, Settings } from '../settings.ts';
import { fingerprint } from '../supervisor-config.ts';
import { caFile, identityFile } from '../tls/tls-files.ts';
import { consulBinary, hasConsulBinary } from './consul-build.ts';
import type { Server, Source } from './server.ts';

const folder = join(local, 'consul');
const CONFIG = join(folder, 'access.json');

export interface ConsulServer extends Server {
  /** For each user, the settings of a client. */
  readonly clients: Readonly<Record<ConsulUser, ClientSettings>>;
  /** Creates policies and tokens on our own server. */
  provision(source: Source): Promise<void>;
}

/** `isContained` is true for a server in a container: it has no TLS and no tokens. */
export function consul(settings: Settings, secret: Secrets, isContained: boolean): ConsulServer {
  const { ports, external } = settings;
  const shared =
    external.consul ?? (isContained ? { CONSUL_URL: `http://127.0.0.1:${ports.consul}` } : undefined);
  const url = shared?.CONSUL_URL ?? `https://127.0.0.1:${ports.consul}`;
  const management: Management = { url, caFile, token: managementToken(secret) };
  const clients = clientsOf((user) => shared ?? clientSettings(url, user, secret));
  return {
    name: 'consul',
    url,
    ports: ['consul', 'consul_server', 'consul_serf'],
    clients,
    async prepare() {
      const binary = await findConsul();
      if (!binary) throw new Error('Consul is prepared only when there is a binary.');
      const contents = await saveConfiguration(settings, secret);
      const flags = [
        `-config-file=${join(root, 'registry/consul/agent.hcl')}`,
        `-config-file=${CONFIG}`,
        `-data-dir=${join(folder, 'data')}`,
        '-node=payflowx',
        `-server-port=${ports.consul_server}`,
        `-serf-lan-port=${ports.consul_serf}`,
      ];
      const command = [binary, 'agent', ...flags];
      return [{ name: 'consul', command, folder, env: fingerprint(contents), stopSignal: 'TERM' }];
    },
    async ping() {
      if (shared) await requireLeader(shared.CONSUL_URL ?? '');
      else if (!(await ask(management, 'GET', '/v1/acl/token/self'))) throw new Error('no leader yet');
    },
    async provision(source) {
      if (source !== 'native') return;
      await provisionConsul(management, secret);
      withSecretFiles('reader', clients.reader); // For people.
    },
  };
}

function clientsOf(settingsOf: (user: ConsulUser) => ClientSettings): Record<ConsulUser, ClientSettings> {
  const entries = CONSUL_USERS.map((user) => [user, settingsOf(user)]);
  return Object.fromEntries(entries) as Record<ConsulUser, ClientSettings>;
}

function clientSettings(url: string, user: ConsulUser, secret: Secrets): ClientSettings {
  return { CONSUL_URL: url, CONSUL_CA_FILE: caFile, CONSUL_TOKEN: consulToken(user, secret) };
}

/** Writes the part of the configuration that has secrets. Returns everything that a restart depends on. */
async function saveConfiguration({ ports }: Settings, secret: Secrets): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const token = managementToken(secret);
  const identity = identityFile('consul');
  const configuration = {
    ports: { http: -1, https: ports.consul },
    tls: {
      defaults: {
        ca_file: caFile,
        cert_file: identity,
        key_file: identity,
        tls_min_version: 'TLSv1_3',
        verify_outgoing: true,
      },
      // Only servers with a certificate of this checkout may join. Clients of the API have tokens.
      internal_rpc: { verify_incoming: true },
    },
    encrypt: secret('key/consul-gossip'),
    // The authority that certifies the services.
    // With an authority of its own: the agent gives a certificate that it has signed, and its key, to every client. No service trusts it.
    connect: { enabled: true },
    acl: {
      enabled: true,
      default_policy: 'deny',
      tokens: { initial_management: token, agent: token },
    },
  };
  const contents = JSON.stringify(configuration, null, 2);
  await writeFile(`${CONFIG}.new`, contents, { mode: 0o600 });
  await rename(`${CONFIG}.new`, CONFIG);
  return `${contents}${await readFile(identity, 'utf8')}`;
}

async function requireLeader(url: string): Promise<void> {
  const answer = await fetch(new URL('/v1/status/leader', url), { signal: AbortSignal.timeout(2_000) });
  if (!answer.ok || (await answer.json()) === '') throw new Error('no leader yet');
}

/** The Consul on the PATH, or else the built one. */
export async function findConsul(): Promise<string | undefined> {
  return (await which('consul')) ?? ((await hasConsulBinary()) ? consulBinary : undefined);
}
