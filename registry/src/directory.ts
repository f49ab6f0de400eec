/**
 * Addresses of services, as known to this process. Each service has one watch for all subscribers, and keeps its last known
 * addresses.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import type Consul from 'consul';
import { type Address, watchInstances } from './instance-watch.ts';
import type { Log } from './log.ts';

/** The addresses of a service, or the reason why they are unknown. */
export type Resolution = { addresses: Address[] } | { unavailable: string };

export interface Directory {
  /**
   * Calls the subscriber with the addresses as soon as they are known or known to be unavailable, and at every change. Never
   * calls it before this function returns. Returns a function that ends the subscription; the last one to end stops the watch.
   */
  subscribe(service: string, subscriber: Subscriber): () => void;
}

export type Subscriber = (resolution: Resolution) => void;

interface Followed {
  service: string;
  subscribers: Set<Subscriber>;
  /** The last non-empty answer. It outlives the watch, for a channel that wakes up during an outage of Consul. */
  lastKnown: Address[];
  /** The last result given to the subscribers. Undefined until Consul has answered or failed. */
  lastResult: Resolution | undefined;
  state: 'unknown' | 'current' | 'none passing' | 'consul unavailable';
  /** Runs while Consul answers that no instance passes. */
  forgetting: NodeJS.Timeout | undefined;
  stop: (() => void) | undefined;
}

/**
 * Milliseconds for which addresses are used although Consul knows no passing instance. Longer than any restart of all instances,
 * or of Consul. After that, another program may use the address.
 */
const FORGET_AFTER_MS = 5 * 60_000;

export function openDirectory(
  { consul, log }: { consul: Consul; log: Log },
  { forgetAfterMs = FORGET_AFTER_MS } = {},
): Directory {
  const followed = new Map<string, Followed>();
  return {
    subscribe(service, subscriber) {
      const entry = followed.get(service) ?? unfollowed(service);
      followed.set(service, entry);
      entry.subscribers.add(subscriber);
      if (entry.stop === undefined) follow(consul, entry, forgetAfterMs, log);
      else if (entry.lastResult !== undefined) notifyLater(entry, subscriber);

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
    lastResult: undefined,
    state: 'unknown',
    forgetting: undefined,
    stop: undefined,
  };
}

/** A channel wakes up inside some request. The watch outlives that request, so it must not run in its context. */
const outsideRequests = AsyncLocalStorage.snapshot();

function follow(consul: Consul, entry: Followed, forgetAfterMs: number, log: Log): void {
  entry.stop = outsideRequests(() =>
    watchInstances(consul, entry.service, {
      onAnswer: (addresses) => {
        if (addresses.length > 0) takeAddresses(entry, addresses, log);
        else takeEmptyAnswer(entry, forgetAfterMs, log);
      },
      onFailure: (error) => takeFailure(entry, error, log),
    }),
  );
}

function unfollow(entry: Followed): void {
  entry.stop?.();
  entry.stop = undefined;
  keepAddresses(entry);
  entry.lastResult = undefined;
  entry.state = 'unknown';
}

function takeAddresses(entry: Followed, addresses: Address[], log: Log): void {
  keepAddresses(entry);
  const fields = { target: entry.service, addresses: addresses.map(({ host, port }) => `${host}:${port}`) };
  if (entry.state === 'unknown') log.debug(fields, 'instances found in Consul');
  else if (entry.state !== 'current') log.info(fields, 'instances found in Consul again');
  else if (!isSame(entry.lastResult, { addresses })) log.info(fields, 'instances changed in Consul');
  entry.state = 'current';
  entry.lastKnown = addresses;
  notify(entry, { addresses });
}

/**
 * Consul answers, but knows no passing instance. That happens after Consul was wiped, or when all checks fail at once, which is
 * more likely a fault of the checks. So an empty answer does not remove the last known addresses, unless all answers are empty for
 * minutes. If the instances are really down, connections are refused, and calls fail with UNAVAILABLE as they would without an
 * address.
 */
function takeEmptyAnswer(entry: Followed, forgetAfterMs: number, log: Log): void {
  const fields = { target: entry.service, lastKnown: entry.lastKnown.length };
  if (entry.state !== 'none passing') {
    log.warn(fields, 'Consul knows no passing instance; using the last known addresses, if any');
  }
  entry.state = 'none passing';
  const otherwise = `No instance of ${entry.service} passes its health check in Consul.`;
  entry.forgetting ??= setTimeout(() => {
    log.warn(fields, 'Consul knew no passing instance for minutes; forgot the last known addresses');
    entry.lastKnown = [];
    notifyLastKnown(entry, otherwise);
  }, forgetAfterMs).unref();
  notifyLastKnown(entry, otherwise);
}

function keepAddresses(entry: Followed): void {
  clearTimeout(entry.forgetting);
  entry.forgetting = undefined;
}

function takeFailure(entry: Followed, err: Error, log: Log): void {
  // Without an answer, nothing speaks against the last known addresses.
  keepAddresses(entry);
  const fields = { target: entry.service, lastKnown: entry.lastKnown.length, err };
  if (entry.state !== 'consul unavailable') {
    log.warn(fields, 'Consul is unavailable; using the last known addresses, if any');
  }
  entry.state = 'consul unavailable';
  notifyLastKnown(
    entry,
    `Consul is unavailable, and the address of ${entry.service} is unknown: ${err.message}`,
  );
}

function notifyLastKnown(entry: Followed, otherwise: string): void {
  notify(entry, entry.lastKnown.length > 0 ? { addresses: entry.lastKnown } : { unavailable: otherwise });
}

/** Skips equal results, because each update makes grpc-js rebuild its list of connections. */
function notify(entry: Followed, resolution: Resolution): void {
  if (isSame(entry.lastResult, resolution)) return;
  entry.lastResult = resolution;
  for (const subscriber of entry.subscribers) subscriber(resolution);
}

function notifyLater(entry: Followed, subscriber: Subscriber): void {
  setImmediate(() => {
    // The subscription may have ended meanwhile. The subscriber gets the present state.
    if (entry.subscribers.has(subscriber) && entry.lastResult !== undefined) subscriber(entry.lastResult);
  });
}

function isSame(a: Resolution | undefined, b: Resolution): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
