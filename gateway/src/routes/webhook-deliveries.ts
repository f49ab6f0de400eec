/** Deliveries of webhooks: one event for one endpoint, with every attempt. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { WebhookDeliveryState } from '@payflowx/proto/notification';
import { Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { DeliveryId, EndpointId, EventId, pathId } from '../schemas/ids.ts';
import { ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { DELIVERY_STATES, deliveryJson, WebhookDelivery } from '../schemas/webhook.ts';

const DeliveryPage = pageOf('WebhookDeliveryPage', WebhookDelivery);

export const webhookDeliverySchemas = [WebhookDelivery, DeliveryPage];

interface Options {
  notification: Neighbours['notification'];
}

export const webhookDeliveryRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { notification }) => {
  app.get('/v1/webhook-deliveries', {
    config: { access: EVERY_ROLE, scope: 'notifications:read' },
    schema: {
      tags: ['webhooks'],
      operationId: 'listWebhookDeliveries',
      summary:
        'List deliveries of webhooks, newest first: customers see those of their endpoints, operators and auditors see all',
      querystring: query({
        ...pageQuery,
        endpoint_id: Type.Optional(ref(EndpointId)),
        event_id: Type.Optional(ref(EventId)),
        state: Type.Optional(DELIVERY_STATES.schema),
      }),
      response: { 200: ref(DeliveryPage) },
    },
    handler: async (request) => {
      const { endpoint_id = '', event_id = '', state } = request.query;
      const message = {
        ...pageRequest(request.query),
        endpointId: endpoint_id,
        eventId: event_id,
        state: state === undefined ? WebhookDeliveryState.UNSPECIFIED : DELIVERY_STATES.numberOf(state),
      };
      const page = await notification.listWebhookDeliveries(message, asCaller(request));
      return pageJson(page.deliveries.map(deliveryJson), page.nextPageToken);
    },
  });

  app.get('/v1/webhook-deliveries/:id', {
    config: { access: EVERY_ROLE, scope: 'notifications:read' },
    schema: {
      tags: ['webhooks'],
      operationId: 'getWebhookDelivery',
      summary: 'Get a delivery of a webhook',
      params: pathId(ref(DeliveryId)),
      response: { 200: ref(WebhookDelivery), 404: problem(['DELIVERY_NOT_FOUND']) },
    },
    handler: async (request) => {
      const message = { deliveryId: request.params.id };
      return deliveryJson((await notification.getWebhookDelivery(message, asCaller(request))).delivery);
    },
  });

  app.post('/v1/webhook-deliveries/:id/redeliver', {
    config: { access: ['customer', 'operator'], optionalBody: true },
    schema: {
      tags: ['webhooks'],
      operationId: 'redeliverWebhook',
      summary: 'Start a delivery again, whatever its state',
      params: pathId(ref(DeliveryId)),
      body: ref(NoFields),
      response: {
        202: ref(WebhookDelivery),
        403: problem(['NOT_YOUR_ENDPOINT']),
        404: problem(['DELIVERY_NOT_FOUND', 'ENDPOINT_NOT_FOUND', 'EVENT_NOT_FOUND']),
        409: problem(['ENDPOINT_DISABLED']),
      },
    },
    handler: async (request, reply) => {
      const message = { deliveryId: request.params.id };
      const { delivery } = await notification.redeliverWebhook(message, asCaller(request));
      reply.code(202);
      return deliveryJson(delivery);
    },
  });
};
