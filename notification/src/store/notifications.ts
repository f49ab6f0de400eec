/** Reads the table notifications. */
import type { Kysely } from 'kysely';
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

export interface NotificationFilter {
  /** Undefined for all recipients. */
  recipientId: string | undefined;
  paymentId: string | undefined;
  accountId: string | undefined;
  /** Leaves out what its recipient does not want in the inbox. */
  isInboxOnly: boolean;
  /** Only notifications older than this one. Undefined starts with the newest. */
  beforeId: string | undefined;
}

/** Returns at most `limit` notifications, newest first. */
export function selectNotifications(
  db: Kysely<Database>,
  { recipientId, paymentId, accountId, isInboxOnly, beforeId }: NotificationFilter,
  limit: number,
): Promise<NotificationRow[]> {
  return db
    .selectFrom('notifications')
    .select(COLUMNS)
    .$if(recipientId !== undefined, (query) => query.where('recipient_id', '=', recipientId as string))
    .$if(paymentId !== undefined, (query) => query.where('payment_id', '=', paymentId as string))
    .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId as string))
    .$if(isInboxOnly, (query) => query.where('channel', '=', 'inbox'))
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId as string))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}
