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
  /** Consul is unavailable. The watch continues and reports the next answer. */
  onFailure(error: Error): void;
}

/** How long Consul may hold a query while nothing changes. */
const LONGEST_QUERY = '30s';
/** The first query does not block, and has a short timeout. A hung Consul must not leave callers waiting. */
const FIRST_ANSWER_WITHIN_MS = 2_500;

/** Starts the watch and returns a function that stops it. No callback is called before this returns or after the stop. */
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
    // The library would retry with the last index. A wiped Consul counts from the start, and would hold that query until it times
    // out. So every failure starts over without an index.
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

/** The fields of Consul's answer that are used here. */
interface HealthEntry {
  Node: { Address: string };
  Service: { Address: string; Port: number };
}

function toAddresses(entries: HealthEntry[]): Address[] {
  const addresses = entries.map(({ Node, Service }) => ({
    host: Service.Address || Node.Address,
    port: Service.Port,
  }));
  // Consul promises no order. Sorting makes equal instances compare as equal lists.
  return addresses.sort((a, b) => a.host.localeCompare(b.host) || a.port - b.port);
}
