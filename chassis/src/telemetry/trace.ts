/** The trace of the current request: W3C trace context and request id, in every call, message and log line. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { parseTraceParent } from '@opentelemetry/core';
import { isChosen, isSampling, mayFollowStranger } from './sampling.ts';

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
  /** The span that the work belongs to. Undefined if the span in the traceparent is another process's. */
  span?: OpenSpan | undefined;
}

/** A span that has not ended. Its facts are recorded when it ends, see recordSpan. */
export interface OpenSpan {
  /** 16 hex digits, the same as in the traceparent. */
  id: string;
  /** Undefined for the first span of a trace. */
  parentId: string | undefined;
}

const storage = new AsyncLocalStorage<Trace>();

/**
 * Continues the given trace. Begins a new one if the header is absent or malformed. The header is never copied: text that a
 * stranger appends to it would get into metadata, events and databases.
 */
export function traceFrom(traceparent: string | undefined, requestId?: string): Trace {
  const parent = traceparent ? parsed(traceparent) : undefined;
  if (!parent) return newTrace(isChosen(), requestId);
  const { traceId, spanId, flags } = parent;
  return { traceId, traceparent: `00-${traceId}-${spanId}-0${flags}`, requestId };
}

/**
 * The same for a caller outside the platform. It may choose the trace id, but not that we record everything: its flag is followed
 * within an allowance, and otherwise chance decides. A changed flag needs a new span id (https://www.w3.org/TR/trace-context/#sampled-flag).
 */
export function traceOfStranger(traceparent: string | undefined, requestId?: string): Trace {
  const parent = traceparent ? parsed(traceparent) : undefined;
  if (!parent) return newTrace(isChosen(), requestId);
  const { traceId, spanId: parentId, flags } = parent;
  const isAsked = (flags & SAMPLED) === SAMPLED;
  const isRecorded = isChosen() || (isAsked && isSampling() && mayFollowStranger());
  const id = newSpanId();
  const newParent = formatted(traceId, id, isRecorded);
  return { traceId, traceparent: newParent, requestId, span: { id, parentId } };
}

/** Begins a trace. */
export function newTrace(isRecorded: boolean, requestId?: string): Trace {
  // Node buffers random bytes for UUIDs. Generating them one by one costs ten times as much.
  const traceId = randomHex();
  const id = newSpanId();
  return {
    traceId,
    traceparent: formatted(traceId, id, isRecorded),
    requestId,
    span: { id, parentId: undefined },
  };
}

/** True if the spans of this trace are recorded. Another service may record them although this process does not. */
export function isSampled({ traceparent }: Pick<Trace, 'traceparent'>): boolean {
  // The flags are at most 3, so their last digit decides.
  return (traceparent.charCodeAt(FLAGS_END) & SAMPLED) === SAMPLED;
}

/** The place of the last digit in `00-<32 digits>-<16 digits>-<2 digits>`. */
const FLAGS_END = 54;

/** The traceparent of a message, to be stored for later work. Empty if the trace is not recorded, to save the space. */
export function sampledTraceparent(header: string | undefined): string {
  if (header === undefined) return '';
  const trace = traceFrom(header);
  return isSampled(trace) ? trace.traceparent : '';
}

/** The id of the current span, of this process or another. */
export function spanIdOf({ traceparent }: Trace): string {
  return traceparent.slice(36, 52);
}

/** Opens a span in the current one. A trace that is not recorded stays as it is. */
export function childOf(trace: Trace): Trace {
  if (!isSampling() || !isSampled(trace)) return trace;
  const id = newSpanId();
  const span = { id, parentId: spanIdOf(trace) };
  return { ...trace, traceparent: formatted(trace.traceId, id, true), span };
}

/** Opens the span of a request or message that has arrived in this trace. */
export function entered(trace: Trace): Trace {
  return trace.span ? trace : childOf(trace);
}

function formatted(traceId: string, spanId: string, isRecorded: boolean): string {
  return `00-${traceId}-${spanId}-0${isRecorded ? 1 : 0}`;
}

export function newSpanId(): string {
  return randomHex().slice(0, 16);
}

function parsed(traceparent: string): { traceId: string; spanId: string; flags: number } | undefined {
  // The library also accepts white space around the header, which the format does not allow.
  if (traceparent.length > MAX_TRACEPARENT || /^\s|\s$/.test(traceparent)) return undefined;
  const parent = parseTraceParent(traceparent);
  if (!parent) return undefined;
  const { traceId, spanId, traceFlags } = parent;
  const isCurrent = traceparent.startsWith('00-');
  if (isCurrent && traceFlags > KNOWN_FLAGS) return undefined;
  // Of the flags of a later version, only this one keeps its meaning.
  return { traceId, spanId, flags: isCurrent ? traceFlags : traceFlags & SAMPLED };
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
