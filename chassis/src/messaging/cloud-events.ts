/** What travels: events as the outbox keeps them, messages as Kafka and RabbitMQ carry them, and the CloudEvents headers they bear. */
import { currentTrace } from '../telemetry/trace.ts';

/** Header values are text; the payload is opaque here. */
export interface OutgoingMessage {
  /** The event's id: the same on every redelivery, so consumers deduplicate by it. */
  id: string;
  /** Messages of one key keep their order. */
  key: string;
  type: string;
  headers: Record<string, string>;
  payload: Buffer;
}

export interface IncomingMessage extends OutgoingMessage {
  /** The trace of the request that caused the message; a batch has as many as messages. */
  traceparent: string | undefined;
}

export interface EventFacts {
  id: string;
  type: string;
  /** Who announces it, as a URI reference: `/payflowx/payment`. */
  source: string;
  time: Date;
  /** What it is about: the payment's id. */
  subject?: string;
  /** Defaults to the trace of the current request. */
  traceparent?: string | undefined;
}

/**
 * The headers of an event in CloudEvents' binary mode: the payload is the message's value, untouched.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
 */
export function cloudEventHeaders(event: EventFacts): Record<string, string> {
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

/** An event with its payload, on its way out. */
export interface OutgoingEvent extends EventFacts {
  /** Events of one key keep their order. */
  key: string;
  payload: Uint8Array;
}

/** An event as a message for a broker. */
export function cloudEventMessage(event: OutgoingEvent): OutgoingMessage {
  const payload = Buffer.from(event.payload.buffer, event.payload.byteOffset, event.payload.byteLength);
  return { id: event.id, key: event.key, type: event.type, headers: cloudEventHeaders(event), payload };
}
