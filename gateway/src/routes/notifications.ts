/** What both sides of a payment were told. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Notification as NotificationMessage, Side } from '@payflowx/proto/notification';
import { type Static, Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { AnyAccountId, PaymentId, UserId } from '../schemas/ids.ts';
import { Currency, minorUnits } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { time, timeJson } from '../schemas/text.ts';
import { wireNames } from '../schemas/wire-names.ts';

const SIDES = wireNames('Which end of the payment is told.', {
  [Side.SENDER]: 'sender',
  [Side.RECEIVER]: 'receiver',
});

const Notification = named(
  'Notification',
  Type.Object({
    id: Type.String({ examples: ['ntf_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'] }),
    recipient_id: ref(UserId),
    account_id: ref(AnyAccountId),
    side: SIDES.schema,
    payment_id: ref(PaymentId),
    event_type: Type.String({ examples: ['payment.completed'] }),
    channel: Type.String({ examples: ['inbox'] }),
    title: Type.String(),
    body: Type.String(),
    amount: minorUnits('What the payment is about.'),
    currency: ref(Currency),
    created_at: time('When it happened.'),
  }),
);
const NotificationPage = pageOf('NotificationPage', Notification);

export const notificationSchemas = [Notification, NotificationPage];

interface Options {
  notification: Neighbours['notification'];
}

export const notificationRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { notification }) => {
  app.get('/v1/notifications', {
    config: { access: EVERY_ROLE },
    schema: {
      tags: ['notifications'],
      operationId: 'listNotifications',
      summary: 'List notifications, newest first: the caller’s own, everybody’s for operators and auditors',
      querystring: query({
        ...pageQuery,
        payment_id: Type.Optional(ref(PaymentId)),
        account_id: Type.Optional(ref(AnyAccountId)),
      }),
      response: { 200: ref(NotificationPage) },
    },
    handler: async (request) => {
      const { payment_id = '', account_id = '' } = request.query;
      const message = { ...pageRequest(request.query), paymentId: payment_id, accountId: account_id };
      const page = await notification.listNotifications(message, asCaller(request));
      return pageJson(page.notifications.map(notificationJson), page.nextPageToken);
    },
  });
};

function notificationJson(notification: NotificationMessage): Static<typeof Notification> {
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
