/** Which request is being worked on: W3C trace context and request id, carried through every hop and into every log line. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
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
  const traceId = randomBytes(16).toString('hex');
  return { traceId, traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`, requestId };
}

export function currentTrace(): Trace | undefined {
  return storage.getStore();
}

/** Everything that `work` does and awaits belongs to `trace`. */
export function runInTrace<T>(trace: Trace, work: () => T): T {
  return storage.run(trace, work);
}
