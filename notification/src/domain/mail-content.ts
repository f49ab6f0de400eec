/** The content of a mail as it is stored until it is sent. */

import type { Language } from '@payflowx/proto/vocabulary';
import type { NotifiedEvent } from './events.ts';
import type { Side } from './notice.ts';

export interface PaymentContent {
  kind: 'payment';
  language: Language;
  eventType: NotifiedEvent;
  side: Side;
  title: string;
  body: string;
  paymentId: string;
  accountId: string;
  /** RFC 3339. */
  occurredAt: string;
  description: string;
  /** True if the other side wrote the description. Absent in mails of earlier versions: the payer wrote it. */
  isForeignText?: boolean;
  reference: string;
}

/** The changes of an account that always cause a mail to its user. */
export const SECURITY_CHANGES = [
  'password_changed',
  'password_reset',
  'second_factor_added',
  'second_factor_removed',
  'api_client_created',
  'address_changed',
] as const;
export type SecurityChange = (typeof SECURITY_CHANGES)[number];

export interface SecurityContent {
  kind: 'security';
  language: Language;
  change: SecurityChange;
  /** The name of the API client or of the second factor. May be empty. */
  subjectName: string;
  /** RFC 3339. */
  occurredAt: string;
}

/** Asks for the confirmation of an address. Its link is not stored: the token comes from auth when the mail is sent. */
export interface ConfirmationContent {
  kind: 'confirmation';
  language: Language;
  confirmationId: string;
}

/** An endpoint that gets no more webhooks. */
export interface EndpointContent {
  kind: 'webhook_endpoint';
  language: Language;
  reason: 'gone' | 'failing';
  endpointId: string;
  /** Without its query, which may contain a secret. */
  url: string;
  description: string;
  /** RFC 3339. */
  occurredAt: string;
}

export type MailContent = EndpointContent | PaymentContent | SecurityContent | ConfirmationContent;
