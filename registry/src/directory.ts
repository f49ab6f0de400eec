/** What this process knows about where services are: one watch a service, however many ask, and the last known addresses. */

import { AsyncLocalStorage } from 'node:async_hooks';
import type Consul from 'consul';
import { type Address, watchInstances } from './instance-watch.ts';
import type { Log } from './log.ts';

/** Where a service is, or why that is not known. */
export type Whereabouts = { addresses: Address[] } | { unavailable: string };

export interface Directory {
  /**
   * Tells the subscriber where the service is, as soon as it is known or known to be unknown, and again at every change.
   * Never calls it before this returns. Returns what ends the subscription; the last one to end stops the watch.
   */
  subscribe(service: string, subscriber: Subscriber): () => void;
}

export type Subscriber = (whereabouts: Whereabouts) => void;

interface Followed {
  service: string;
  subscribers: Set<Subscriber>;
  /** The last non-empty answer. It outlives the watch, for a channel that wakes up while Consul is away. */
  lastKnown: Address[];
  /** What the subscribers were told last; undefined until Consul has answered or failed. */
  told: Whereabouts | undefined;
  state: 'unknown' | 'current' | 'none passing' | 'consul away';
  stop: (() => void) | undefined;
}

export function openDirectory({ consul, log }: { consul: Consul; log: Log }): Directory {
  const followed = new Map<string, Followed>();
  return {
    subscribe(service, subscriber) {
      const entry = followed.get(service) ?? unfollowed(service);
      followed.set(service, entry);
      entry.subscribers.add(subscriber);
      if (entry.stop === undefined) follow(consul, entry, log);
      else if (entry.told !== undefined) tellLater(entry, subscriber);

      return () => {
        entry.subscribers.delete(subscriber);
        if (entry.subscribers.size === 0) unfollow(entry);
      };
    },
  };
}

function unfollowed(service: string): Followed {
  return {
    service,
    subscribers: new Set(),
    lastKnown: [],
    told: undefined,
    state: 'unknown',
    stop: undefined,
  };
}

/** A channel wakes up inside some request. The watch outlives that request, so it must not run in its context. */
const outsideRequests = AsyncLocalStorage.snapshot();

function follow(consul: Consul, entry: Followed, log: Log): void {
  entry.stop = outsideRequests(() =>
    watchInstances(consul, entry.service, {
      onAnswer: (addresses) =>
        addresses.length > 0 ? takeAddresses(entry, addresses, log) : takeEmptyAnswer(entry, log),
      onFailure: (error) => takeFailure(entry, error, log),
    }),
  );
}

function unfollow(entry: Followed): void {
  entry.stop?.();
  entry.stop = undefined;
  entry.told = undefined;
  entry.state = 'unknown';
}

function takeAddresses(entry: Followed, addresses: Address[], log: Log): void {
  const fields = { service: entry.service, addresses: addresses.map(({ host, port }) => `${host}:${port}`) };
  if (entry.state === 'unknown') log.debug(fields, 'instances found in Consul');
  else if (entry.state !== 'current') log.info(fields, 'instances found in Consul again');
  else if (!isSame(entry.told, { addresses })) log.info(fields, 'instances changed in Consul');
  entry.state = 'current';
  entry.lastKnown = addresses;
  tell(entry, { addresses });
}

/**
 * Consul answers, and knows no passing instance. That is what a Consul says that was wiped a moment ago, and what one says
 * whose checks have all failed at once, when the fault is more likely the checker's than every instance's. So an empty
 * answer never takes the last known addresses away. Where the instances have really gone, this costs nothing: their
 * connections are refused, and a call fails with UNAVAILABLE just as it would without an address.
 */
function takeEmptyAnswer(entry: Followed, log: Log): void {
  const fields = { service: entry.service, lastKnown: entry.lastKnown.length };
  if (entry.state !== 'none passing') {
    log.warn(fields, 'Consul knows no passing instance; going on with the last known addresses, if any');
  }
  entry.state = 'none passing';
  tellLastKnown(entry, `No instance of ${entry.service} passes its health check in Consul.`);
}

function takeFailure(entry: Followed, err: Error, log: Log): void {
  const fields = { service: entry.service, lastKnown: entry.lastKnown.length, err };
  if (entry.state !== 'consul away') {
    log.warn(fields, 'cannot ask Consul; going on with the last known addresses, if any');
  }
  entry.state = 'consul away';
  tellLastKnown(entry, `Consul cannot be asked where ${entry.service} is: ${err.message}`);
}

function tellLastKnown(entry: Followed, otherwise: string): void {
  tell(entry, entry.lastKnown.length > 0 ? { addresses: entry.lastKnown } : { unavailable: otherwise });
}

/** Says nothing twice: each word to grpc-js makes it rebuild its list of connections. */
function tell(entry: Followed, whereabouts: Whereabouts): void {
  if (isSame(entry.told, whereabouts)) return;
  entry.told = whereabouts;
  for (const subscriber of entry.subscribers) subscriber(whereabouts);
}

function tellLater(entry: Followed, subscriber: Subscriber): void {
  setImmediate(() => {
    // It may have ended its subscription meanwhile; and what it is told is what holds now.
    if (entry.subscribers.has(subscriber) && entry.told !== undefined) subscriber(entry.told);
  });
}

function isSame(a: Whereabouts | undefined, b: Whereabouts): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
