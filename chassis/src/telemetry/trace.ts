/** Which request is being worked on: W3C trace context and request id, carried through every hop and into every log line. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { parseTraceParent } from '@opentelemetry/core';

/** Characters. The longest header that is read; a later version of the standard may append fields to today's 55. */
const MAX_TRACEPARENT = 512;
/** The flags that version 00 knows: sampled, and random trace id (https://www.w3.org/TR/trace-context-2/#trace-flags). */
const SAMPLED = 1;
const KNOWN_FLAGS = 3;

export interface Trace {
  /** 32 hex digits, the same in every service a request passes. */
  traceId: string;
  /** The header for the next hop: version 00, built from parsed parts (https://www.w3.org/TR/trace-context/). */
  traceparent: string;
  requestId?: string | undefined;
}

const storage = new AsyncLocalStorage<Trace>();

/**
 * Continues the given trace; begins a new one where the header is absent or malformed. No byte of the header is sent on: what a
 * stranger appends to it would travel into metadata, events and databases.
 */
export function traceFrom(traceparent: string | undefined, requestId?: string): Trace {
  const parent = traceparent ? parsed(traceparent) : undefined;
  if (parent) return { ...parent, requestId };
  // Node keeps random bytes ready for UUIDs; drawn one by one they cost ten times as much.
  const traceId = randomHex();
  return { traceId, traceparent: `00-${traceId}-${randomHex().slice(0, 16)}-01`, requestId };
}

function parsed(traceparent: string): Pick<Trace, 'traceId' | 'traceparent'> | undefined {
  // The library also takes white space around the header; it is no part of the format.
  if (traceparent.length > MAX_TRACEPARENT || /^\s|\s$/.test(traceparent)) return undefined;
  const parent = parseTraceParent(traceparent);
  if (!parent) return undefined;
  const { traceId, spanId, traceFlags } = parent;
  const isCurrent = traceparent.startsWith('00-');
  if (isCurrent && traceFlags > KNOWN_FLAGS) return undefined;
  // Of a later version's flags only this one keeps its meaning.
  const flags = isCurrent ? traceFlags : traceFlags & SAMPLED;
  return { traceId, traceparent: `00-${traceId}-${spanId}-0${flags}` };
}

/** 32 digits, 122 bits of them random. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}

export function currentTrace(): Trace | undefined {
  return storage.getStore();
}

/**
 * Runs work that serves many requests, such as the flush of a batch, outside of each of them. Otherwise it would carry on the
 * trace of the one request that happened to start it.
 */
export const outsideRequests: <T>(work: () => T) => T = AsyncLocalStorage.snapshot();

/** Everything that `work` does and awaits belongs to `trace`. */
export function runInTrace<T>(trace: Trace, work: () => T): T {
  return storage.run(trace, work);
}
