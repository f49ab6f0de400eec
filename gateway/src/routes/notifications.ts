/** Lists the notifications to payers and receivers. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { AnyAccountId, PaymentId } from '../schemas/ids.ts';
import { ref } from '../schemas/named.ts';
import { Notification, notificationJson } from '../schemas/notification.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';

const NotificationPage = pageOf('NotificationPage', Notification);

export const notificationSchemas = [Notification, NotificationPage];

interface Options {
  notification: Neighbours['notification'];
}

export const notificationRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { notification }) => {
  app.get('/v1/notifications', {
    config: { access: EVERY_ROLE, scope: 'notifications:read' },
    schema: {
      tags: ['notifications'],
      operationId: 'listNotifications',
      summary: 'List notifications, newest first: customers see their own, operators and auditors see all',
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
