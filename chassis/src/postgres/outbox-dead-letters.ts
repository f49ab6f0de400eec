/**
 * The table outbox_dead_letters: events that their broker refuses for ever, such as a message above its size limit. An operator
 * sends them again after the cause is fixed.
 *
 * Later events of the same key are published meanwhile. Consumers add up events in any order, so a missing event costs only its
 * own effect, and a held back event would cost one more.
 */
import pg from 'pg';
import { describeError } from '../messaging/dead-letters.ts';
import type { Logger } from '../telemetry/log.ts';
import { OUTBOX_CHANNEL } from './outbox.ts';
import type { Refused } from './publish-rows.ts';

/** Moves refused events out of the outbox, and deletes the rows of their batch. All of it is one statement. */
export const SET_ASIDE = `with removed as (
    delete from outbox where destination = $1 and id = any($2::bigint[]) returning id, event_count, keys, created_at
  )
  insert into outbox_dead_letters (destination, event_count, keys, events, error, created_at)
  select $1, case when r.key is null then removed.event_count else 1 end,
    case when r.key is null then removed.keys else array[r.key] end, r.events, r.error, removed.created_at
  from unnest($3::bigint[], $4::text[], $5::bytea[], $6::text[]) with ordinality as r (row_id, key, events, error, position)
  join removed on removed.id = r.row_id order by position`;

/** Returns the parameters of SET_ASIDE. */
export function setAsideValues(destination: string, rowIds: readonly string[], refused: readonly Refused[]) {
  return [
    destination,
    rowIds,
    refused.map(({ rowId }) => rowId),
    refused.map(({ key }) => key ?? null),
    refused.map(({ events }) => Buffer.from(events)),
    refused.map(({ error }) => describeError(error)),
  ];
}

export interface RedriveOutboxSettings {
  /** The URL with the serving role. */
  url: string;
  destination: string;
}

/** Moves the dead letters of a destination back into its outbox, oldest first. Returns the number of their events. */
export async function redriveOutbox(
  { url, destination }: RedriveOutboxSettings,
  log: Logger,
): Promise<number> {
  const client = new pg.Client({ connectionString: url, application_name: 'redrive' });
  await client.connect();
  try {
    const { rows } = await client.query<{ redriven: number }>(REDRIVE, [destination]);
    const redriven = Number(rows[0]?.redriven ?? 0);
    log.info({ destination, redriven }, 'dead letters sent back');
    return redriven;
  } finally {
    await client.end();
  }
}

const REDRIVE = `with redriven as (
    delete from outbox_dead_letters where destination = $1 returning id, event_count, keys, events
  ), stored as (
    insert into outbox (destination, event_count, keys, events)
    select $1, event_count, keys, events from redriven order by id
    returning event_count, pg_notify('${OUTBOX_CHANNEL}', destination)
  )
  select coalesce(sum(event_count), 0) as redriven from stored`;
