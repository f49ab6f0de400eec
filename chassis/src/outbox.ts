/**
 * Messages are written in the transaction of the change they announce, so that both happen or neither does.
 * The relay (outbox-relay.ts) publishes them. The table's SQL is in the README.
 */
import { sql, type Transaction } from 'kysely';
import type { OutgoingMessage } from './cloud-events.ts';
import { unnest } from './postgres.ts';

/** The channel of NOTIFY; its payload is the destination. */
export const OUTBOX_CHANNEL = 'outbox';

export interface OutboxRow {
  /** Names the relay that publishes it: the topic or the queue. */
  destination: string;
  message: OutgoingMessage;
}

const COLUMNS = {
  destination: 'text',
  message_id: 'text',
  key: 'text',
  type: 'text',
  headers: 'jsonb',
  payload: 'bytea',
} as const;

/** Stores the messages in the order given, and wakes the relay of each destination when the transaction commits. */
export async function insertOutbox<DB>(trx: Transaction<DB>, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  const columns = rows.map(({ destination, message: { id, key, type, headers, payload } }) => ({
    destination,
    message_id: id,
    key,
    type,
    headers,
    payload,
  }));
  // Postgres draws the ids after the sorting, so they rise in the order of the rows.
  await sql`
    with stored as (
      insert into outbox (destination, message_id, key, type, headers, payload)
      select r.destination, r.message_id, r.key, r.type, r.headers, r.payload
      from ${unnest(columns, COLUMNS)} as r order by r.ordinality
      returning destination
    )
    select pg_notify(${OUTBOX_CHANNEL}, destination) from (select distinct destination from stored) as destinations`.execute(
    trx,
  );
}
