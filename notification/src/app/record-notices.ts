/** Stores the notices of many steps in one statement. */
import { faultPoint, idAt } from '@payflowx/chassis';
import { unlessBrokenOff } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { type Notice, noticesOf, type PaymentStep } from '../domain/notice.ts';
import type { Database, NotificationRow } from '../store/database.ts';
import { insertNotifications } from '../store/notifications.ts';

/**
 * Safe to repeat with the same steps, because each side gets one notification of a step. Messages may be acknowledged when this
 * returns.
 */
export async function recordNotices(
  { db }: { db: Kysely<Database> },
  steps: readonly PaymentStep[],
): Promise<void> {
  const rows = steps.flatMap(noticesOf).map(toRow);
  if (rows.length === 0) return;
  await unlessBrokenOff(() => insertNotifications(db, rows));
  faultPoint('notification.after-commit');
}

/** The inbox is the only channel so far, so storing a notice delivers it. */
function toRow(notice: Notice): NotificationRow {
  return {
    // Lists are newest first by id, so the id has the time that the notification shows.
    id: idAt('ntf', notice.createdAt),
    event_id: notice.eventId,
    side: notice.side,
    recipient_id: notice.recipientId,
    account_id: notice.accountId,
    payment_id: notice.paymentId,
    event_type: notice.eventType,
    channel: 'inbox',
    title: notice.title,
    body: notice.body,
    amount_minor: notice.amountMinor,
    currency: notice.currency,
    created_at: notice.createdAt,
  };
}
