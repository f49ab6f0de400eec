/** The events of one transaction for one destination: an outbox row, and a RabbitMQ message. */
import { Parcel as ParcelMessage } from '@payflowx/proto/outbox';
import { currentTrace } from '../telemetry/trace.ts';
import { cloudEventMessage, type OutgoingEvent, type OutgoingMessage } from './cloud-events.ts';

export interface Parcel {
  eventCount: number;
  /** A payflowx.outbox.v1.Parcel. */
  bytes: Uint8Array;
}

export function packParcel(events: readonly OutgoingEvent[]): Parcel {
  const traceparent = currentTrace()?.traceparent ?? '';
  const bytes = ParcelMessage.encode({
    events: events.map((event) => ({ subject: '', ...event, traceparent: event.traceparent ?? traceparent })),
  }).finish();
  return { eventCount: events.length, bytes };
}

/** Returns its events as messages for a broker, in order. Throws for bytes that are not a parcel. */
export function unpackParcel({ bytes }: Pick<Parcel, 'bytes'>): OutgoingMessage[] {
  const { events } = ParcelMessage.decode(bytes);
  if (events.length === 0) throw new Error('The parcel contains no event.');
  return events.map(({ subject, traceparent, time, ...event }) =>
    cloudEventMessage({
      ...event,
      time: time ?? new Date(0),
      ...(subject && { subject }),
      ...(traceparent && { traceparent }),
    }),
  );
}
