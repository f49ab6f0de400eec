/**
 * Events are written in the transaction of the change they announce, so that both happen or neither does.
 * The relay (outbox-relay.ts) publishes them. The table's SQL is in the README.
 */
import { sql, type Transaction } from 'kysely';
import type { OutgoingEvent } from './cloud-events.ts';
import { packParcel } from './parcel.ts';
import { unnest } from './postgres.ts';

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
    with stored as (
      insert into outbox (destination, event_count, keys, events)
      select r.destination, r.event_count, string_to_array(r.keys, ${SEPARATOR}), r.events
      from ${unnest(parcels, COLUMNS)} as r
    )
    select pg_notify(${OUTBOX_CHANNEL}, destination) from unnest(${parcels.map(({ destination }) => destination)}::text[]) as destination`.execute(
    trx,
  );
}

const COLUMNS = { destination: 'text', event_count: 'int4', keys: 'text', events: 'bytea' } as const;

/** An array in an array cannot travel as one column of unnest. */
const SEPARATOR = '\n';
