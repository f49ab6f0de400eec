/** Reads and writes the table notifications. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql } from 'kysely';
import type { Database, NotificationRow } from './database.ts';

const COLUMNS = [
  'id',
  'event_id',
  'side',
  'recipient_id',
  'account_id',
  'payment_id',
  'event_type',
  'channel',
  'title',
  'body',
  'amount_minor',
  'currency',
  'created_at',
] as const satisfies (keyof NotificationRow)[];

/** Stores notifications in one statement. Duplicates of a redelivered message are skipped. */
export async function insertNotifications(
  db: Kysely<Database>,
  rows: readonly NotificationRow[],
): Promise<void> {
  const columns = sql.join(COLUMNS.map((column) => sql.ref(column)));
  // In the order of the unique index, so that two consumers that store the same events cannot deadlock.
  // The notices of one event are in the same order each time.
  const sorted = rows.toSorted((a, b) => (a.event_id < b.event_id ? -1 : Number(a.event_id > b.event_id)));
  const source = unnest(sorted, {
    id: 'text',
    event_id: 'text',
    side: 'text',
    recipient_id: 'text',
    account_id: 'text',
    payment_id: 'text',
    event_type: 'text',
    channel: 'text',
    title: 'text',
    body: 'text',
    amount_minor: 'int8',
    currency: 'text',
    created_at: 'timestamptz',
  });
  await sql`insert into notifications (${columns}) select ${columns} from ${source} as r order by r.ordinality
    on conflict (event_id, side) do nothing`.execute(db);
}

export interface NotificationFilter {
  /** Undefined for all recipients. */
  recipientId: string | undefined;
  paymentId: string | undefined;
  accountId: string | undefined;
  /** Only notifications older than this one. Undefined starts with the newest. */
  beforeId: string | undefined;
}

/** Returns at most `limit` notifications, newest first. */
export function selectNotifications(
  db: Kysely<Database>,
  { recipientId, paymentId, accountId, beforeId }: NotificationFilter,
  limit: number,
): Promise<NotificationRow[]> {
  return db
    .selectFrom('notifications')
    .select(COLUMNS)
    .$if(recipientId !== undefined, (query) => query.where('recipient_id', '=', recipientId as string))
    .$if(paymentId !== undefined, (query) => query.where('payment_id', '=', paymentId as string))
    .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId as string))
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId as string))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}
