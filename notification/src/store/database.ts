/** The Kysely types of this service's tables. */
import type { EventType, Side } from '../domain/notice.ts';

export interface NotificationRow {
  id: string;
  event_id: string;
  side: Side;
  recipient_id: string;
  account_id: string;
  payment_id: string;
  event_type: EventType;
  channel: 'inbox';
  title: string;
  body: string;
  amount_minor: bigint;
  currency: string;
  created_at: Date;
}

export interface Database {
  notifications: NotificationRow;
}
