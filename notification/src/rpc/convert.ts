/** Translates rows to messages of the contract. */
import { type Notification, Side } from '@payflowx/proto/notification';
import type { NotificationRow } from '../store/database.ts';

const SIDES: Record<NotificationRow['side'], Side> = { sender: Side.SENDER, receiver: Side.RECEIVER };

export function toNotification(row: NotificationRow): Notification {
  return {
    id: row.id,
    recipientId: row.recipient_id,
    accountId: row.account_id,
    side: SIDES[row.side],
    paymentId: row.payment_id,
    eventType: row.event_type,
    channel: row.channel,
    title: row.title,
    body: row.body,
    amountMinor: row.amount_minor,
    currency: row.currency,
    createdAt: row.created_at,
    eventId: row.event_id,
  };
}
