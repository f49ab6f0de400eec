/** Turns steps into the rows of notices, and the mails about them, as their recipients want them. */
import { idAt, newId } from '@payflowx/chassis';
import { DEFAULT_LANGUAGE } from '../domain/language.ts';
import type { PaymentContent } from '../domain/mail-content.ts';
import { type Notice, noticesOf, type PaymentStep } from '../domain/notice.ts';
import { wants } from '../domain/preferences.ts';
import type { Recipient } from '../store/contacts.ts';
import type { NewNotificationRow, NotificationRow } from '../store/database.ts';
import type { NewMail } from '../store/mails.ts';

export interface PreparedNotices {
  notifications: NewNotificationRow[];
  mails: NewMail[];
}

/**
 * One notification and at most one mail of a step for each side. Recipients that are missing have the default preferences and no address.
 * Steps before `mailsFromMs` have no mail.
 */
export function prepareNotices(
  steps: readonly PaymentStep[],
  recipients: Map<string, Recipient>,
  mailsFromMs: number,
): PreparedNotices {
  const languageOf = (userId: string) => recipients.get(userId)?.language ?? DEFAULT_LANGUAGE;
  const notices = steps.flatMap((step) => noticesOf(step, languageOf));
  const hasMail = ({ createdAt, recipientId, eventType }: Notice) => {
    const recipient = recipients.get(recipientId);
    if (createdAt.getTime() < mailsFromMs || recipient?.confirmedEmail == null) return false;
    return wants(recipient.preferences, 'mail', eventType);
  };
  return {
    notifications: notices.map((notice) => ({
      ...toRow(notice, recipients.get(notice.recipientId)),
      has_mail: hasMail(notice),
    })),
    mails: notices.filter(hasMail).map(toMail),
  };
}

/** A notification that is not wanted in the inbox is stored too: reconciliation counts it. */
function toRow(notice: Notice, recipient: Recipient | undefined): NotificationRow {
  const isWanted = !recipient || wants(recipient.preferences, 'inbox', notice.eventType);
  return {
    // Lists are newest first by id, so the id has the time that the notification shows.
    id: idAt('ntf', notice.createdAt),
    event_id: notice.eventId,
    side: notice.side,
    recipient_id: notice.recipientId,
    account_id: notice.accountId,
    payment_id: notice.paymentId,
    event_type: notice.eventType,
    channel: isWanted ? 'inbox' : 'none',
    title: notice.title,
    body: notice.body,
    amount_minor: notice.amountMinor,
    currency: notice.currency,
    created_at: notice.createdAt,
  };
}

function toMail(notice: Notice): NewMail {
  return {
    id: newId('mail'),
    cause: `${notice.eventId}:${notice.side}`,
    eventId: notice.eventId,
    userId: notice.recipientId,
    address: null,
    paymentId: notice.paymentId,
    content: contentOf(notice),
    createdAt: new Date(),
  };
}

function contentOf(notice: Notice): PaymentContent {
  const { language, eventType, side, title, body, paymentId, accountId } = notice;
  const { description, isForeignText, reference } = notice;
  const occurredAt = notice.createdAt.toISOString();
  return {
    kind: 'payment',
    ...{ language, eventType, side, title, body, paymentId, accountId, occurredAt },
    ...{ description, isForeignText, reference },
  };
}
