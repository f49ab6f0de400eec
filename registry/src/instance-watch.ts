/** Follows which instances of one service pass their health checks, by blocking queries to Consul. */

import type Consul from 'consul';
import { backoff, CONSUL_BACKOFF } from './backoff.ts';

export interface Address {
  host: string;
  port: number;
}

export interface InstanceObserver {
  /** Consul has answered: these instances pass, in a stable order. */
  onAnswer(addresses: Address[]): void;
  /** Consul cannot be asked now. The watch goes on and reports the next answer. */
  onFailure(error: Error): void;
}

/** How long Consul may hold a query while nothing changes. */
const LONGEST_QUERY = '30s';
/** A first answer is due at once. A Consul that is stuck must not leave callers without any word. */
const FIRST_ANSWER_WITHIN_MS = 2_500;

/** Starts to watch and returns what stops it. Neither callback is called before this returns or after the stop. */
export function watchInstances(consul: Consul, service: string, observer: InstanceObserver): () => void {
  const delays = backoff(CONSUL_BACKOFF);
  let stopQuery = query();

  function query(): () => void {
    const watch = consul.watch({
      method: consul.health.service,
      options: { service, passing: 'true', wait: LONGEST_QUERY },
    });
    const overdue = setTimeout(() => {
      observer.onFailure(new Error(`Consul has not answered within ${FIRST_ANSWER_WITHIN_MS} ms.`));
    }, FIRST_ANSWER_WITHIN_MS);
    let retry: NodeJS.Timeout | undefined;

    watch.on('change', (entries: HealthEntry[]) => {
      clearTimeout(overdue);
      delays.reset();
      observer.onAnswer(toAddresses(entries));
    });
    // The library would retry by itself, but with the index it has seen. A Consul that was wiped counts from the start
    // and would hold that query until it times out; so every failure starts over without an index.
    watch.once('error', (error: Error) => {
      watch.on('error', () => {});
      watch.end();
      clearTimeout(overdue);
      retry = setTimeout(() => {
        stopQuery = query();
      }, delays.nextMs());
      observer.onFailure(error);
    });

    return () => {
      clearTimeout(overdue);
      clearTimeout(retry);
      watch.removeAllListeners('change');
      watch.removeAllListeners('error').on('error', () => {});
      watch.end();
    };
  }

  return () => stopQuery();
}

/** The part of Consul's answer that is used here. */
interface HealthEntry {
  Node: { Address: string };
  Service: { Address: string; Port: number };
}

function toAddresses(entries: HealthEntry[]): Address[] {
  const addresses = entries.map(({ Node, Service }) => ({
    host: Service.Address || Node.Address,
    port: Service.Port,
  }));
  // Consul promises no order. With a stable one, the same instances always compare as the same list.
  return addresses.sort((a, b) => a.host.localeCompare(b.host) || a.port - b.port);
}
