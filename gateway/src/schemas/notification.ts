/** A notification to the payer or the receiver, as clients see it. */
import { type Notification as NotificationMessage, Side } from '@payflowx/proto/notification';
import { type Static, Type } from 'typebox';
import { AnyAccountId, PaymentId, UserId } from './ids.ts';
import { Currency, minorUnits } from './money.ts';
import { named, ref } from './named.ts';
import { time, timeJson } from './text.ts';
import { wireNames } from './wire-names.ts';

const SIDES = wireNames('The recipient’s side of the payment.', {
  [Side.SENDER]: 'sender',
  [Side.RECEIVER]: 'receiver',
});

export const Notification = named(
  'Notification',
  Type.Object({
    id: Type.String({ examples: ['ntf_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'] }),
    recipient_id: ref(UserId),
    account_id: ref(AnyAccountId),
    side: SIDES.schema,
    payment_id: ref(PaymentId),
    event_type: Type.String({ examples: ['payment.completed'] }),
    channel: Type.String({ examples: ['inbox'] }),
    title: Type.String({ examples: ['You were paid EUR 12.50'] }),
    body: Type.String({ examples: ['EUR 12.50 reached your account.'] }),
    amount: minorUnits('The amount that the notification is about.'),
    currency: ref(Currency),
    created_at: time('The time of the event.'),
  }),
);
export function notificationJson(notification: NotificationMessage): Static<typeof Notification> {
  return {
    id: notification.id,
    recipient_id: notification.recipientId,
    account_id: notification.accountId,
    side: SIDES.nameOf(notification.side),
    payment_id: notification.paymentId,
    event_type: notification.eventType,
    channel: notification.channel,
    title: notification.title,
    body: notification.body,
    amount: notification.amountMinor,
    currency: notification.currency,
    created_at: timeJson(notification.createdAt),
  };
}
