/**
 * Records the spans of a batch. The batch has a trace of its own, in which its calls are made, and links to its items. Each item has a span
 * in the trace of its own request, from its arrival in the queue to the end of the flush, with a link to the batch.
 */
import type { Attributes } from '@opentelemetry/api';
import { isSampling } from '../telemetry/sampling.ts';
import { isRecorded, linkTo, recordSpan, type SpanKind } from '../telemetry/spans.ts';
import { childOf, currentTrace, newTrace, runInTrace, type Trace, traceFrom } from '../telemetry/trace.ts';

/** How the items of a batcher appear in traces. */
export interface BatchSpanOptions<I> {
  /** Default: the name of the batcher. */
  name?: string;
  kind?: SpanKind;
  attributes?: Attributes;
  /** Returns the trace of an item. Default: the trace in which it was submitted. */
  traceOf?(item: I): Trace | undefined;
}

/** The result of an item, see Result. */
interface Outcome {
  ok: boolean;
  error?: unknown;
}

interface Item {
  since: number;
  /** Undefined if it is not recorded. */
  trace?: Trace | undefined;
}

/** Returns the trace to record a submitted item in. Undefined if it is not recorded. */
export function traceOfItem<I>(item: I, { traceOf = currentTrace }: BatchSpanOptions<I>): Trace | undefined {
  if (!isSampling()) return undefined;
  try {
    const trace = traceOf(item);
    return isRecorded(trace) ? trace : undefined;
  } catch {
    return undefined;
  }
}

/** Settles as `flush` does. `isHeldUp` says that an error is a lock, for which the item waits without a fault. */
export function recordedFlush<R extends Outcome>(
  batch: { name: string; items: readonly Item[]; span: Omit<BatchSpanOptions<never>, 'traceOf'> },
  isHeldUp: ((error: unknown) => boolean) | undefined,
  flush: () => Promise<R[]>,
): Promise<R[]> {
  const { name, items, span } = batch;
  const recorded = items.flatMap(({ trace, since }, index) =>
    trace ? [{ trace: childOf(trace), since, index }] : [],
  );
  if (recorded.length === 0) return flush();
  const trace = newTrace(true);
  const startedAt = performance.now();
  const problemOf = (error: unknown) => (isHeldUp?.(error) ? undefined : nameOf(error));
  const record = (results: R[] | undefined, error?: unknown) => {
    const failure = results ? undefined : problemOf(error);
    recordSpan(trace, startedAt, failure, () => ({
      name: `batch ${name}`,
      attributes: { 'payflowx.batch.name': name, 'payflowx.batch.size': items.length },
      links: recorded.map((item) => linkTo(item.trace)),
    }));
    for (const item of recorded) {
      const result = results?.[item.index];
      const problem = result?.ok === false ? problemOf(result.error) : failure;
      recordSpan(item.trace, item.since, problem, () => ({
        name,
        ...span,
        attributes: { 'payflowx.batch.name': name, ...span.attributes },
        links: [linkTo(trace)],
      }));
    }
  };
  return runInTrace(trace, flush).then(
    (results) => {
      record(results);
      return results;
    },
    (error) => {
      record(undefined, error);
      throw error;
    },
  );
}

/** Records that a message became a dead letter, also if its trace is not sampled. */
export function recordDeadLetter(
  traceparent: string | undefined,
  startedAt: number,
  { source, reason }: { source: string; reason: string },
): void {
  if (!isSampling() || traceparent === undefined) return;
  recordSpan(childOf(traceFrom(traceparent)), startedAt, reason, () => ({
    name: `dead letter ${source}`,
    attributes: { 'messaging.destination.name': source },
  }));
}

/** The class of the error, whose values are bounded. Its text may contain anything. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Error';
}
