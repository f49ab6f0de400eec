/** Events as stored in the outbox, messages as sent by Kafka and RabbitMQ, and the CloudEvents headers of both. */
import { currentTrace } from '../telemetry/trace.ts';

/** Header values are text; the payload is opaque here. */
export interface EventMessage {
  /** The event's id, equal on every redelivery: consumers deduplicate by it. */
  id: string;
  /** Messages of one key keep their order. */
  key: string;
  type: string;
  headers: Record<string, string>;
  payload: Buffer;
}

export interface EventFacts {
  id: string;
  type: string;
  /** The publisher, as a URI reference: `/payflowx/payment`. */
  source: string;
  time: Date;
  /** The subject of the event: the payment's id. */
  subject?: string;
  /** Defaults to the trace of the current request. */
  traceparent?: string | undefined;
}

/**
 * The headers of an event in CloudEvents' binary mode. The payload is the value of the message, unchanged.
 *
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
 */
function cloudEventHeaders(event: EventFacts): Record<string, string> {
  const traceparent = event.traceparent ?? currentTrace()?.traceparent;
  return {
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_type: event.type,
    ce_source: event.source,
    ce_time: event.time.toISOString(),
    ...(event.subject === undefined ? {} : { ce_subject: event.subject }),
    ...(traceparent === undefined ? {} : { traceparent }),
    'content-type': 'application/protobuf',
  };
}

/** An event with its payload, before it is published. */
export interface OutgoingEvent extends EventFacts {
  /** Events of one key keep their order. */
  key: string;
  payload: Uint8Array;
}

/** Converts an event to a message for a broker. */
export function cloudEventMessage(event: OutgoingEvent): EventMessage {
  const payload = Buffer.from(event.payload.buffer, event.payload.byteOffset, event.payload.byteLength);
  return { id: event.id, key: event.key, type: event.type, headers: cloudEventHeaders(event), payload };
}
