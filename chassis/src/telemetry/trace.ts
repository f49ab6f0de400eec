/** Which request is being worked on: W3C trace context and request id, carried through every hop and into every log line. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { parseTraceParent } from '@opentelemetry/core';

export interface Trace {
  /** 32 hex digits, the same in every service a request passes. */
  traceId: string;
  /** As it is sent on (https://www.w3.org/TR/trace-context/). */
  traceparent: string;
  requestId?: string | undefined;
}

const storage = new AsyncLocalStorage<Trace>();

/** Continues the given trace; begins a new one where it is absent or malformed. */
export function traceFrom(traceparent: string | undefined, requestId?: string): Trace {
  const parent = traceparent ? parseTraceParent(traceparent) : null;
  if (parent && traceparent) return { traceId: parent.traceId, traceparent, requestId };
  // Node keeps random bytes ready for UUIDs; drawn one by one they cost ten times as much.
  const traceId = randomHex();
  return { traceId, traceparent: `00-${traceId}-${randomHex().slice(0, 16)}-01`, requestId };
}

/** 32 digits, 122 bits of them random. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}

export function currentTrace(): Trace | undefined {
  return storage.getStore();
}

/** Everything that `work` does and awaits belongs to `trace`. */
export function runInTrace<T>(trace: Trace, work: () => T): T {
  return storage.run(trace, work);
}
