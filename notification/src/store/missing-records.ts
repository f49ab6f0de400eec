/**
 * Counts the records that should exist and do not. A notification, its event, the deliveries of the event and the mail are stored in one
 * transaction. So a statement sees all of them or none, and each record that it misses is lost.
 */
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

export interface MissingRecords {
  accountId: string;
  count: bigint;
}

/** Lines of one kind. */
export interface Missing {
  listed: MissingRecords[];
  /** Number of accounts, also of those that are not listed. */
  accountCount: bigint;
}

const MAX_LISTED = 100;

/**
 * Returns the time of the notification that is the `number`th from the newest. Undefined if there are fewer. The index alone is counted.
 */
export async function timeOfNotification(db: Kysely<Database>, number: number): Promise<Date | undefined> {
  const found = await db
    .selectFrom('notifications')
    .select('created_at')
    .where('id', '=', (query) =>
      query
        .selectFrom('notifications')
        .select('id')
        .orderBy('id', 'desc')
        .offset(number - 1)
        .limit(1),
    )
    .executeTakeFirst();
  return found?.created_at;
}

/** Notifications after an id without an event. Those of earlier versions are left out: such a version may have had no log. */
export function countMissingEvents(db: Kysely<Database>, fromId: string): Promise<Missing> {
  return listed(
    db,
    sql`
      select n.account_id from notifications as n
      where n.id >= ${fromId} and n.has_mail is not null and not exists (select from events as e where e.id = n.event_id)`,
  );
}

/** Notifications after an id that were stored with a mail, without that mail. */
export function countMissingMails(db: Kysely<Database>, fromId: string): Promise<Missing> {
  return listed(
    db,
    sql`
      select n.account_id from notifications as n
      where n.id >= ${fromId} and n.has_mail and not exists (select from mails as m where m.cause = n.event_id || ':' || n.side)`,
  );
}

/** The last change of an endpoint and an event are dated by the clocks of different services. */
const SETTLED = sql.lit('1 minute');

/**
 * Pairs of an event after an id and an enabled endpoint without a delivery. An endpoint counts from its last change on: it may have been
 * disabled before, or have had other types of events. The account is that of the side that owns the endpoint.
 */
export function countMissingDeliveries(db: Kysely<Database>, fromId: string): Promise<Missing> {
  const isDue = sql`
    e.id >= ${fromId} and e.payment_id is not null and w.state = 'enabled' and w.event_types && array['*', e.type]
      and e.created_at > w.updated_at + ${SETTLED}::interval
      and not exists (select from webhook_deliveries as d where d.endpoint_id = w.id and d.event_id = e.id)`;
  return listed(
    db,
    sql`
      select e.sender_account_id as account_id from webhook_endpoints as w join events as e on e.sender_owner_id = w.owner_id
      where not w.sees_all and ${isDue}
      union all
      select e.receiver_account_id from webhook_endpoints as w join events as e on e.receiver_owner_id = w.owner_id
      where not w.sees_all and e.sender_owner_id is distinct from w.owner_id and ${isDue}
      union all
      select e.sender_account_id from webhook_endpoints as w cross join events as e
      where w.sees_all and ${isDue}`,
  );
}

/** `lost` selects the account of each lost record. */
async function listed(db: Kysely<Database>, lost: ReturnType<typeof sql>): Promise<Missing> {
  const { rows } = await sql<{ account_id: string; count: bigint; account_count: bigint }>`
    select account_id, count(*) as count, count(*) over () as account_count from (${lost}) as lost
    group by account_id order by account_id limit ${sql.lit(MAX_LISTED)}`.execute(db);
  return {
    listed: rows.map(({ account_id, count }) => ({ accountId: account_id, count })),
    accountCount: rows[0]?.account_count ?? 0n,
  };
}
