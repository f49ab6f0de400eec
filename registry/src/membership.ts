/** One instance's place in the registry: taken when it joins, kept while it lives, given up when it leaves. */

import { setTimeout as sleep } from 'node:timers/promises';
import type Consul from 'consul';
import { backoff, CONSUL_BACKOFF } from './backoff.ts';
import { openConsul } from './consul-client.ts';
import type { Log } from './log.ts';

export interface RegistryOptions {
  /** Such as `http://127.0.0.1:8500`. Empty: there is no registry. */
  consulUrl: string;
  log: Log;
}

/** How Consul finds out whether an instance is well: the standard gRPC health service, or an HTTP path that answers 2xx. */
export type HealthCheck = 'grpc' | { http: string };

export interface Instance {
  /** The service, as callers name it: `payment` for `consul:///payment`. */
  name: string;
  /** Unique among all instances of all services. */
  id: string;
  /** Where callers and Consul reach this instance; so never a wildcard such as 0.0.0.0. */
  host: string;
  port: number;
  /** Default: `grpc`, plaintext. */
  check?: HealthCheck;
  tags?: string[];
}

export interface Membership {
  /** Takes the instance out of the registry. Settles within about two seconds, whatever Consul does, and never rejects. */
  leave(): Promise<void>;
}

/** How often an instance looks whether Consul still knows it. */
const LOOK_EVERY_MS = 2_000;
const LEAVE_WITHIN_MS = 2_000;
/** The shortest that Consul allows; it matters only for instances that died without leaving. */
const FORGET_AFTER = '1m';

/**
 * Registers the instance and keeps it registered. Resolves after the first attempt, also when Consul is away: the attempts
 * then go on in the background. Throws only for an instance that no Consul would ever take.
 */
export async function joinRegistry(
  { consulUrl, log }: RegistryOptions,
  instance: Instance,
): Promise<Membership> {
  if (consulUrl === '') return { leave: async () => {} };
  requireReachable(instance);

  const consul = openConsul(consulUrl);
  const leaving = new AbortController();
  const fields = { service: instance.name, instance: instance.id, consulUrl };
  const delays = backoff(CONSUL_BACKOFF);
  let registered = false;
  let away = false;

  async function attempt(): Promise<number> {
    try {
      await ensureRegistered();
      away = false;
      delays.reset();
      return LOOK_EVERY_MS;
    } catch (err) {
      if (!away)
        log.warn({ ...fields, err }, 'cannot reach Consul to be registered, trying on in the background');
      away = true;
      return delays.nextMs();
    }
  }

  async function ensureRegistered(): Promise<void> {
    // The first time the entry is written in any case: an earlier life may have left one with another address.
    const known = registered && (await isKnown(consul, instance.id));
    // A Consul without a leader takes the entry at once but answers later than we wait. Then this counts as failed,
    // and the next attempt finds the entry or writes it again.
    if (!known) await consul.agent.service.register(registration(instance));
    if (!registered) log.info(fields, 'registered in Consul');
    else if (!known) log.warn(fields, 'Consul had forgotten this instance, registered it again');
    else if (away) log.info(fields, 'Consul is back and knows this instance');
    registered = true;
  }

  async function keepRegistered(firstDelayMs: number): Promise<void> {
    for (let delayMs = firstDelayMs; await pause(delayMs, leaving.signal); ) delayMs = await attempt();
  }

  const kept = keepRegistered(await attempt());

  async function leave(): Promise<void> {
    leaving.abort();
    // An attempt that is under way ends first; otherwise it could register the instance again behind our back.
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
        `could not leave Consul, which forgets a dead instance after ${FORGET_AFTER}`,
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

/** Waits, without keeping the process alive. False if the instance leaves meanwhile. */
async function pause(delayMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(delayMs, undefined, { signal, ref: false });
    return true;
  } catch {
    return false;
  }
}

async function isKnown(consul: Consul, id: string): Promise<boolean> {
  // JSON's quoting is also the one of Consul's filter expressions.
  const services = await consul.agent.service.list({ filter: `ID == ${JSON.stringify(id)}` });
  return id in services;
}

function registration({ name, id, host, port, check = 'grpc', tags = [] }: Instance) {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    name,
    id,
    address: host,
    port,
    tags,
    check: {
      name: check === 'grpc' ? 'gRPC health' : `GET ${check.http}`,
      ...(check === 'grpc' ? { grpc: authority } : { http: `http://${authority}${check.http}` }),
      interval: '2s',
      timeout: '2s',
      // One late answer of a busy instance is no reason to take it out. Callers leave a dead one at once anyway:
      // its connection breaks.
      failuresbeforecritical: 2,
      deregistercriticalserviceafter: FORGET_AFTER,
    },
  };
}

function requireReachable({ host, port }: Instance): void {
  if (host === '' || host === '0.0.0.0' || host === '::') {
    throw new Error(`An instance registers under an address that callers can reach, not "${host}".`);
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`An instance registers under the port it listens on, not ${port}.`);
  }
}
