/**
 * The spans of this process, for OpenTelemetry. Until `startTraces` has run, nothing is recorded, and recording costs one comparison.
 *
 * A span is recorded as a whole when it ends. Until then only its id exists, in the traceparent that its children get. So nothing is kept
 * for requests that are not sampled, and no span stays open. A lost span never fails or delays the work that it describes.
 *
 * Spans carry no amounts, no names, no tokens, and no paths or queries, which may contain them.
 */
import {
  type Attributes,
  type Link,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace as traces,
} from '@opentelemetry/api';
import { mayKeep } from './sampling.ts';
import { isSampled, newSpanId, spanIdOf, type Trace, traceFrom } from './trace.ts';

export { SpanKind } from '@opentelemetry/api';

export interface SpanFacts {
  name: string;
  /** Default: INTERNAL. */
  kind?: SpanKind;
  attributes?: Attributes;
  links?: Link[];
}

/** An unsampled request that takes longer is recorded, like one that failed: it missed the objective for latency. */
export const SLOW_MS = 500;

let tracer: Tracer | undefined;

/** Called by `startTraces`. Undefined turns spans off again. */
export function recordSpans(through: Tracer | undefined): void {
  tracer = through;
}

/** The ids of the span that is being recorded. The SDK asks for them. */
const ids = { traceId: '', spanId: '' };
export const idGenerator = { generateTraceId: () => ids.traceId, generateSpanId: () => ids.spanId };

/** True if this process records the spans of the trace. */
export function isRecorded(trace: Trace | undefined): trace is Trace {
  return tracer !== undefined && trace !== undefined && isSampled(trace);
}

/** Returns the trace that a message carries. Undefined if its spans are not recorded, which costs only a look. */
export function recordedTrace(traceparent: string | undefined): Trace | undefined {
  if (tracer === undefined || traceparent === undefined || !isSampled({ traceparent })) return undefined;
  return traceFrom(traceparent);
}

/**
 * Records the span of a request, a call or a message that ends now. `trace` is the trace that it ran in, and `startedAt` is by
 * performance.now(). `problem` is the kind of its failure, for the attribute `error.type`.
 *
 * In a trace that is not sampled, only slow spans and those with a problem are recorded.
 */
export function recordSpan(
  trace: Trace | undefined,
  startedAt: number,
  problem: string | undefined,
  describe: () => SpanFacts,
): void {
  if (tracer === undefined || trace === undefined) return;
  const endedAt = performance.now();
  if (!isSampled(trace)) {
    const isWanted = problem !== undefined || endedAt - startedAt >= SLOW_MS;
    if (!isWanted || !mayKeep()) return;
  }
  try {
    record(tracer, trace, { startedAt, endedAt, problem }, describe());
  } catch {
    // There is nothing to do about it here, and a log line for each request would be worse.
  }
}

function record(
  tracer: Tracer,
  trace: Trace,
  { startedAt, endedAt, problem }: { startedAt: number; endedAt: number; problem: string | undefined },
  { name, kind = SpanKind.INTERNAL, attributes = {}, links = [] }: SpanFacts,
): void {
  const { id, parentId } = trace.span ?? { id: newSpanId(), parentId: spanIdOf(trace) };
  ids.traceId = trace.traceId;
  ids.spanId = id;
  const parent = parentId && { traceId: trace.traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED };
  const context = parent ? traces.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
  const epoch = currentEpoch();
  const span = tracer.startSpan(name, { kind, attributes, links, startTime: epoch + startedAt }, context);
  if (problem !== undefined) {
    span.setAttribute('error.type', problem);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end(epoch + endedAt);
}

/** A link to the current span of another trace. */
export function linkTo(trace: Trace): Link {
  const context = { traceId: trace.traceId, spanId: spanIdOf(trace), traceFlags: TraceFlags.SAMPLED };
  return { context };
}

let epoch = performance.timeOrigin;
/** Below it, the clocks agree as far as Date.now() can tell. */
const MAX_DRIFT_MS = 2;

/** Returns the time of performance.now() = 0, in milliseconds since 1970. It follows corrections of the system's clock. */
function currentEpoch(): number {
  const drift = Date.now() - (epoch + performance.now());
  if (Math.abs(drift) > MAX_DRIFT_MS) epoch += drift;
  return epoch;
}
