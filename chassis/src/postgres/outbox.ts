/**
 * Writes events in the transaction of the change that they announce, so that both happen or neither does. The relay
 * (outbox-relay.ts) publishes them. The SQL of the table is in the README.
 */
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { OutgoingEvent } from '../messaging/cloud-events.ts';
import { packParcel } from '../messaging/parcel.ts';
import { unnest } from './unnest.ts';

/** The channel of NOTIFY; its payload is the destination. */
export const OUTBOX_CHANNEL = 'outbox';

export interface OutboxRow {
  /** The topic or queue. It selects the relay that publishes the event. */
  destination: string;
  event: OutgoingEvent;
}

/**
 * Stores the events in the given order, one row for each destination. Wakes the relay of each destination at commit.
 *
 * A row for each event would cost several times as much, in Postgres and on both ends of the connection.
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
 * The same for a statement that makes the change itself, as the body of a CTE. The rows of `source` become one outbox row, or
 * none if there are none.
 *
 * They have a `key`, an `event` (a parcel with one event) and an `ordinality`. Concatenated parcels are a parcel:
 * https://protobuf.dev/programming-guides/encoding/#last-one-wins
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

/** unnest cannot take an array of arrays as one column, so the keys of a row are joined. */
const SEPARATOR = '\n';
