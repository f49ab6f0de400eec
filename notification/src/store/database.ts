/** The Kysely types of this service's tables. */
import type { Generated } from 'kysely';
import type { EventType } from '../domain/events.ts';
import type { MailContent } from '../domain/mail-content.ts';
import type { Side } from '../domain/notice.ts';

export interface NotificationRow {
  id: string;
  event_id: string;
  side: Side;
  recipient_id: string;
  account_id: string;
  payment_id: string;
  event_type: EventType;
  /** `none`: the recipient does not want it in the inbox. */
  channel: 'inbox' | 'none';
  title: string;
  body: string;
  amount_minor: bigint;
  currency: string;
  created_at: Date;
}

/** A notification as it is stored. */
export interface NewNotificationRow extends NotificationRow {
  /** A mail is stored with it. */
  has_mail: boolean;
}

interface ContactRow {
  user_id: string;
  email: string | null;
  is_confirmed: boolean;
  language: string | null;
  version: bigint;
}

interface PreferenceRow {
  user_id: string;
  inbox: boolean;
  mail: boolean;
  muted: string[];
  language: string | null;
}

export type MailState = 'pending' | 'sent' | 'failed' | 'skipped';

export interface MailRow {
  id: string;
  cause: string;
  user_id: string;
  address: string | null;
  payment_id: string | null;
  content: MailContent;
  state: MailState;
  reason: string | null;
  attempts: number;
  last_error: string | null;
  created_at: Date;
  sent_at: Date | null;
}

export interface MailSuppressionRow {
  id: string;
  address: string;
  response: string;
  mail_id: string;
  created_at: Date;
}

/** An event without its position, which the database assigns. */
export interface EventRow {
  id: string;
  type: string;
  payment_id: string | null;
  sender_account_id: string | null;
  receiver_account_id: string | null;
  sender_owner_id: string | null;
  receiver_owner_id: string | null;
  created_at: Date;
  content: Buffer;
}

/** An event that knows the trace of its request. */
export interface TracedRow {
  /** Empty: not recorded. */
  traceparent: string;
}

export type EndpointState = 'enabled' | 'disabled' | 'deleted';
export type DisabledReason = '' | 'request' | 'operator' | 'gone' | 'failing';

export interface EndpointRow {
  id: string;
  owner_id: string;
  sees_all: boolean;
  url: string;
  event_types: string[];
  description: string;
  state: EndpointState;
  disabled_reason: DisabledReason;
  secret: Buffer;
  previous_secret: Buffer | null;
  previous_secret_until: Date | null;
  failures: number;
  failing_since: Date | null;
  paused_until: Date | null;
  created_at: Date;
  updated_at: Date;
}

export type DeliveryState = 'pending' | 'delivered' | 'failed';

export interface DeliveryRow {
  id: string;
  endpoint_id: string;
  owner_id: string;
  event_id: string;
  state: DeliveryState;
  tries: number;
  attempt_count: number;
  next_attempt_at: Date | null;
  created_at: Date;
}

export interface AttemptRow {
  delivery_id: string;
  number: number;
  at: Date;
  status: number | null;
  latency_ms: number;
  response: string;
  error: string;
}

export interface WebhookAuditRow {
  id: string;
  actor_id: string;
  action: string;
  endpoint_id: string;
  owner_id: string;
  client_id: string;
  trace_id: string;
  call_id: string;
  created_at: Date;
}

export interface Database {
  /** `has_mail` is null in rows of an earlier version. */
  notifications: NotificationRow & { has_mail: boolean | null };
  contacts: ContactRow;
  notification_preferences: PreferenceRow;
  mails: Omit<MailRow, 'attempts'> & { attempts: Generated<number> };
  mail_suppressions: MailSuppressionRow;
  events: EventRow & { position: Generated<bigint>; traceparent: Generated<string> };
  webhook_endpoints: EndpointRow;
  webhook_deliveries: DeliveryRow;
  webhook_attempts: AttemptRow;
  webhook_audit_records: WebhookAuditRow;
}
