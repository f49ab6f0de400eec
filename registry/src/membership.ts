/** Registers one instance while it serves, and deregisters it when it leaves. */

import { setTimeout as sleep } from 'node:timers/promises';
import type Consul from 'consul';
import { backoff, CONSUL_BACKOFF } from './backoff.ts';
import { type ConsulConnection, openConsul } from './consul-client.ts';
import type { Log } from './log.ts';

export interface RegistryOptions {
  consul: ConsulConnection;
  log: Log;
}

/**
 * Consul's health check of the instance: the standard gRPC health service, over TLS or in plaintext, or an HTTP path that answers 2xx.
 * Consul does not verify the certificate. The check sends no secret, and its answer is only used for this address.
 */
export type HealthCheck = 'grpcs' | 'grpc' | { https: string } | { http: string };

export interface Instance {
  /** The service's name, as in targets: `payment` for `consul:///payment`. */
  name: string;
  /** Unique among all instances of all services. */
  id: string;
  /** The address for callers and Consul, so never a wildcard such as 0.0.0.0. */
  host: string;
  port: number;
  /** Default: `grpcs`. */
  check?: HealthCheck;
  tags?: string[];
}

export interface Membership {
  /** Deregisters the instance. Settles within about two seconds, whatever Consul does, and never rejects. */
  leave(): Promise<void>;
}

/** Interval at which an instance checks that Consul still knows it. */
const CHECK_EVERY_MS = 2_000;
const LEAVE_WITHIN_MS = 2_000;
/** The shortest time that Consul allows. It matters only for instances that died without leaving. */
const DEREGISTER_AFTER = '1m';

/**
 * Registers the instance and keeps it registered. Resolves after the first attempt, even if Consul is unavailable; attempts then
 * continue in the background. Throws only for an address that no Consul would accept.
 */
export async function joinRegistry(
  { consul: connection, log }: RegistryOptions,
  instance: Instance,
): Promise<Membership> {
  if (connection.url === '') return { leave: async () => {} };
  requireReachable(instance);

  const consul = openConsul(connection);
  const leaving = new AbortController();
  const fields = { registration: instance.id, consulUrl: connection.url };
  const delays = backoff(CONSUL_BACKOFF);
  let registered = false;
  let unavailable = false;

  async function attempt(): Promise<number> {
    try {
      await ensureRegistered();
      unavailable = false;
      delays.reset();
      return CHECK_EVERY_MS;
    } catch (err) {
      if (!unavailable)
        log.warn({ ...fields, err }, 'cannot reach Consul to register, retrying in the background');
      unavailable = true;
      return delays.nextMs();
    }
  }

  async function ensureRegistered(): Promise<void> {
    // The first attempt always writes the entry, because an earlier process may have left one with another address.
    const known = registered && (await isKnown(consul, instance.id));
    // A Consul without a leader stores the entry at once, but answers after our timeout. This counts as failed. The next attempt
    // finds the entry, or writes it again.
    if (!known) await consul.agent.service.register(registration(instance));
    if (!registered) log.info(fields, 'registered in Consul');
    else if (!known) log.warn(fields, 'Consul had lost this instance, registered it again');
    else if (unavailable) log.info(fields, 'Consul is back and knows this instance');
    registered = true;
  }

  async function keepRegistered(firstDelayMs: number): Promise<void> {
    for (let delayMs = firstDelayMs; await pause(delayMs, leaving.signal); ) delayMs = await attempt();
  }

  const kept = keepRegistered(await attempt());

  async function leave(): Promise<void> {
    leaving.abort();
    // Wait for an attempt in progress; it could register the instance again after this.
    const left = kept.then(() => consul.agent.service.deregister(instance.id)).then(() => 'left' as const);
    try {
      const outcome = await Promise.race([
        left,
        sleep(LEAVE_WITHIN_MS, 'timed out' as const, { ref: false }),
      ]);
      if (outcome === 'timed out') throw new Error(`Consul did not answer within ${LEAVE_WITHIN_MS} ms.`);
      log.info(fields, 'left Consul');
    } catch (err) {
      left.catch(() => {});
      log.warn(
        { ...fields, err },
        `could not deregister; Consul removes a dead instance after ${DEREGISTER_AFTER}`,
      );
    } finally {
      consul.destroy();
    }
  }

  let left: Promise<void> | undefined;
  return {
    leave() {
      left ??= leave();
      return left;
    },
  };
}

/** Waits without keeping the process alive. Returns false if the instance leaves meanwhile. */
async function pause(delayMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(delayMs, undefined, { signal, ref: false });
    return true;
  } catch {
    return false;
  }
}

async function isKnown(consul: Consul, id: string): Promise<boolean> {
  // Consul's filter expressions quote strings as JSON does.
  const services = await consul.agent.service.list({ filter: `ID == ${JSON.stringify(id)}` });
  return id in services;
}

function registration({ name, id, host, port, check = 'grpcs', tags = [] }: Instance) {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    name,
    id,
    address: host,
    port,
    tags,
    check: {
      ...probeOf(check, authority),
      interval: '2s',
      timeout: '2s',
      // One late answer of a busy instance is no reason to remove it. Callers drop a dead instance at once anyway, because its
      // connection breaks.
      failuresbeforecritical: 2,
      deregistercriticalserviceafter: DEREGISTER_AFTER,
    },
  };
}

function probeOf(check: HealthCheck, authority: string) {
  if (check === 'grpcs')
    return { name: 'gRPC health', grpc: authority, grpcusetls: true, tlsskipverify: true };
  if (check === 'grpc') return { name: 'gRPC health', grpc: authority };
  const [scheme, path] = 'https' in check ? ['https', check.https] : ['http', check.http];
  return { name: `GET ${path}`, http: `${scheme}://${authority}${path}`, tlsskipverify: true };
}

function requireReachable({ host, port }: Instance): void {
  if (host === '' || host === '0.0.0.0' || host === '::') {
    throw new Error(`The address of an instance must be reachable for callers, not "${host}".`);
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`The port of an instance must be the one it listens on, not ${port}.`);
  }
}
