/** The events of one transaction for one destination: an outbox row, and a RabbitMQ message. */
import { type Event, Parcel as ParcelMessage } from '@payflowx/proto/outbox';
import { currentTrace } from '../telemetry/trace.ts';
import { cloudEventMessage, type EventMessage, type OutgoingEvent } from './cloud-events.ts';
import { RefusedError } from './refused.ts';

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

/** Returns its events as messages for a broker, in order. Throws RefusedError for bytes that are not a parcel. */
export function unpackParcel({ bytes }: Pick<Parcel, 'bytes'>): EventMessage[] {
  return eventsOf(bytes).map(({ subject, traceparent, time, ...event }) =>
    cloudEventMessage({
      ...event,
      time: time ?? new Date(0),
      ...(subject && { subject }),
      ...(traceparent && { traceparent }),
    }),
  );
}

/** Returns its events, each with its key and as a parcel of its own, in order. Throws RefusedError like unpackParcel. */
export function splitParcel({ bytes }: Pick<Parcel, 'bytes'>): { key: string; parcel: Parcel }[] {
  return eventsOf(bytes).map((event) => ({
    key: event.key,
    parcel: { eventCount: 1, bytes: ParcelMessage.encode({ events: [event] }).finish() },
  }));
}

function eventsOf(bytes: Uint8Array): Event[] {
  let parcel: ParcelMessage;
  try {
    parcel = ParcelMessage.decode(bytes);
  } catch (cause) {
    throw new RefusedError('The parcel cannot be decoded.', { cause });
  }
  if (parcel.events.length === 0) throw new RefusedError('The parcel contains no event.');
  return parcel.events;
}
