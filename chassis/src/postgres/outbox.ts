/**
 * Events are written in the transaction of the change they announce, so that both happen or neither does.
 * The relay (outbox-relay.ts) publishes them. The table's SQL is in the README.
 */
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { OutgoingEvent } from '../messaging/cloud-events.ts';
import { packParcel } from '../messaging/parcel.ts';
import { unnest } from './unnest.ts';

/** The channel of NOTIFY; its payload is the destination. */
export const OUTBOX_CHANNEL = 'outbox';

export interface OutboxRow {
  /** Names the relay that publishes it: the topic or the queue. */
  destination: string;
  event: OutgoingEvent;
}

/**
 * Stores the events in the order given, one row for each destination, and wakes the relay of each when the transaction commits.
 * A row for each event would cost Postgres and both ends of the connection several times as much.
 */
export async function insertOutbox<DB>(trx: Transaction<DB>, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  const parcels = [...Map.groupBy(rows, ({ destination }) => destination)].map(([destination, ofOne]) => {
    const events = ofOne.map(({ event }) => event);
    const { eventCount, bytes } = packParcel(events);
    const keys = [...new Set(events.map(({ key }) => key))].join(SEPARATOR);
    return { destination, event_count: eventCount, keys, events: bytes };
  });
  await sql`
    insert into outbox (destination, event_count, keys, events)
    select r.destination, r.event_count, string_to_array(r.keys, ${SEPARATOR}), r.events
    from ${unnest(parcels, COLUMNS)} as r
    returning pg_notify(${OUTBOX_CHANNEL}, destination)`.execute(trx);
}

/**
 * The same for a statement that makes the change itself, as the body of a CTE: the rows of `source` become one row of the outbox, or
 * none if there are none. They have a `key`, an `event` (a parcel of one) and an `ordinality`.
 * Parcels one behind the other are a parcel: https://protobuf.dev/programming-guides/encoding/#last-one-wins
 */
export function outboxFrom(destination: string, source: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    insert into outbox (destination, event_count, keys, events)
    select ${destination}, count(*), array_agg(key order by ordinality), string_agg(event, ''::bytea order by ordinality)
    from ${source}
    having count(*) > 0
    returning pg_notify(${OUTBOX_CHANNEL}, destination)`;
}

const COLUMNS = { destination: 'text', event_count: 'int4', keys: 'text', events: 'bytea' } as const;

/** An array in an array cannot travel as one column of unnest. */
const SEPARATOR = '\n';
