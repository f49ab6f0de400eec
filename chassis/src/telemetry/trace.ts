/** The trace of the current request: W3C trace context and request id, in every call, message and log line. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { parseTraceParent } from '@opentelemetry/core';

/** Maximum length of a header in characters. A later version of the standard may append fields to today's 55. */
const MAX_TRACEPARENT = 512;
/** The flags of version 00: sampled, and random trace id (https://www.w3.org/TR/trace-context-2/#trace-flags). */
const SAMPLED = 1;
const KNOWN_FLAGS = 3;

export interface Trace {
  /** 32 hex digits, the same in every service that handles the request. */
  traceId: string;
  /** The header for the next call: version 00, built from parsed parts (https://www.w3.org/TR/trace-context/). */
  traceparent: string;
  requestId?: string | undefined;
  /** The id that this service gave to the gRPC call. A caller can choose its trace and its request id, but not this one. */
  callId?: string | undefined;
}

const storage = new AsyncLocalStorage<Trace>();

/**
 * Continues the given trace. Begins a new one if the header is absent or malformed. The header is never copied: text that a
 * stranger appends to it would get into metadata, events and databases.
 */
export function traceFrom(traceparent: string | undefined, requestId?: string): Trace {
  const parent = traceparent ? parsed(traceparent) : undefined;
  if (parent) return { ...parent, requestId };
  // Node buffers random bytes for UUIDs. Generating them one by one costs ten times as much.
  const traceId = randomHex();
  return { traceId, traceparent: `00-${traceId}-${randomHex().slice(0, 16)}-01`, requestId };
}

function parsed(traceparent: string): Pick<Trace, 'traceId' | 'traceparent'> | undefined {
  // The library also accepts white space around the header, which the format does not allow.
  if (traceparent.length > MAX_TRACEPARENT || /^\s|\s$/.test(traceparent)) return undefined;
  const parent = parseTraceParent(traceparent);
  if (!parent) return undefined;
  const { traceId, spanId, traceFlags } = parent;
  const isCurrent = traceparent.startsWith('00-');
  if (isCurrent && traceFlags > KNOWN_FLAGS) return undefined;
  // Of the flags of a later version, only this one keeps its meaning.
  const flags = isCurrent ? traceFlags : traceFlags & SAMPLED;
  return { traceId, traceparent: `00-${traceId}-${spanId}-0${flags}` };
}

/** 32 digits with 122 random bits. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}

export function currentTrace(): Trace | undefined {
  return storage.getStore();
}

/**
 * Runs work for many requests, such as the flush of a batch, outside of each of them. Otherwise it would run in the trace of the
 * request that happened to start it.
 */
export const outsideRequests: <T>(work: () => T) => T = AsyncLocalStorage.snapshot();

/** Runs `work`, and everything that it awaits, in `trace`. */
export function runInTrace<T>(trace: Trace, work: () => T): T {
  return storage.run(trace, work);
}
