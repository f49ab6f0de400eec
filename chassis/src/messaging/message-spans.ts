/**
 * Records the spans of messages, by OpenTelemetry's conventions: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 *
 * A message carries the trace of the request that caused it. Its sending and its processing are children of that request.
 */
import type { BatchSpanOptions } from '../batching/batch-spans.ts';
import { isSampling } from '../telemetry/sampling.ts';
import { recordedTrace, recordSpan, SpanKind } from '../telemetry/spans.ts';
import { childOf } from '../telemetry/trace.ts';
import { type Parcel, unpackParcel } from './parcel.ts';

export type MessagingSystem = 'kafka' | 'rabbitmq';

/** The spans of the messages that a batcher applies. */
export function processSpans<M>(
  { system, destination, group }: { system: MessagingSystem; destination: string; group?: string },
  traceparentOf: (message: M) => string | undefined,
): BatchSpanOptions<{ message: M }> {
  return {
    name: `process ${destination}`,
    kind: SpanKind.CONSUMER,
    attributes: {
      'messaging.system': system,
      'messaging.destination.name': destination,
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'process',
      ...(group !== undefined && { 'messaging.consumer.group.name': group }),
    },
    traceOf: ({ message }) => recordedTrace(traceparentOf(message)),
  };
}

/** Flags of a recorded trace at the end of a traceparent. Other text may look the same; it only costs the decoding. */
const SAMPLED_FLAGS = Buffer.from('-01');

/** Records that the broker has stored the events of these parcels. */
export function recordSent(
  { system, destination }: { system: MessagingSystem | undefined; destination: string },
  parcels: readonly Pick<Parcel, 'bytes'>[],
  startedAt: number,
): void {
  if (!isSampling()) return;
  try {
    for (const { bytes } of parcels) {
      if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(SAMPLED_FLAGS)) continue;
      for (const { headers } of unpackParcel({ bytes })) {
        const trace = recordedTrace(headers.traceparent);
        if (trace) recordSpan(childOf(trace), startedAt, undefined, () => sentFacts(system, destination));
      }
    }
  } catch {
    // A parcel that cannot be decoded is the relay's to report.
  }
}

function sentFacts(system: MessagingSystem | undefined, destination: string) {
  return {
    name: `send ${destination}`,
    kind: SpanKind.PRODUCER,
    attributes: {
      ...(system && { 'messaging.system': system }),
      'messaging.destination.name': destination,
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'send',
    },
  };
}
