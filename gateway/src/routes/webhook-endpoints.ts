/** Webhook endpoints: addresses that events are sent to. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { WebhookEndpointState } from '@payflowx/proto/notification';
import { Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { EndpointId, pathId } from '../schemas/ids.ts';
import { named, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { timeInput, timeOf } from '../schemas/text.ts';
import {
  deliveryJson,
  ENDPOINT_STATES,
  endpointDescription,
  endpointJson,
  endpointUrl,
  SubscribedTypes,
  WebhookDelivery,
  WebhookEndpoint,
  WebhookEndpointWithSecret,
} from '../schemas/webhook.ts';

const EndpointPage = pageOf('WebhookEndpointPage', WebhookEndpoint);

const NewEndpoint = named(
  'NewWebhookEndpoint',
  Type.Object(
    { url: endpointUrl, event_types: SubscribedTypes, description: Type.Optional(endpointDescription) },
    { additionalProperties: false },
  ),
);

const EndpointChange = named(
  'WebhookEndpointChange',
  Type.Object(
    {
      url: Type.Optional(endpointUrl),
      event_types: Type.Optional(SubscribedTypes),
      description: Type.Optional(endpointDescription),
      state: Type.Optional(ENDPOINT_STATES.schema),
    },
    {
      additionalProperties: false,
      description:
        'Absent fields stay as they are. An operator may only set the state of the endpoint of another user.',
    },
  ),
);

const Since = named(
  'RedeliverySince',
  Type.Object(
    { created_after: timeInput('Deliveries that were created at this time or later.') },
    { additionalProperties: false },
  ),
);

const Redelivered = named(
  'Redelivered',
  Type.Object({
    redelivered: Type.Integer({
      description: 'Number of deliveries that were started again. At most 10,000 in one request.',
    }),
  }),
);

export const webhookEndpointSchemas = [
  ...[WebhookEndpoint, WebhookEndpointWithSecret, EndpointPage, NewEndpoint, EndpointChange],
  ...[Since, Redelivered],
];

/** Only people manage endpoints: an API client whose secret leaked must not send the events of its user elsewhere. */
const OWNERS = ['customer', 'operator'] as const;
const NOT_FOUND = problem(['ENDPOINT_NOT_FOUND']);
const NOT_YOURS = problem(['NOT_YOUR_ENDPOINT']);

interface Options {
  notification: Neighbours['notification'];
}

export const webhookEndpointRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { notification }) => {
  app.post('/v1/webhook-endpoints', {
    config: { access: OWNERS },
    schema: {
      tags: ['webhooks'],
      operationId: 'createWebhookEndpoint',
      summary: 'Create a webhook endpoint; only this response shows its secret',
      description:
        'An endpoint of a customer gets the events of the customer’s payments. One of an operator gets all events.',
      body: ref(NewEndpoint),
      response: {
        201: ref(WebhookEndpointWithSecret),
        409: problem(['TOO_MANY_ENDPOINTS']),
        422: problem(['URL_NOT_ALLOWED']),
      },
    },
    handler: async (request, reply) => {
      const { url, event_types, description = '' } = request.body;
      const message = { url, eventTypes: event_types, description };
      const { endpoint, secret } = await notification.createWebhookEndpoint(message, asCaller(request));
      reply.code(201).header('location', `/v1/webhook-endpoints/${endpoint?.id}`);
      return { ...endpointJson(endpoint), secret };
    },
  });

  app.get('/v1/webhook-endpoints', {
    config: { access: EVERY_ROLE, scope: 'notifications:read' },
    schema: {
      tags: ['webhooks'],
      operationId: 'listWebhookEndpoints',
      summary:
        'List webhook endpoints, newest first: customers see their own, operators and auditors see all',
      querystring: query(pageQuery),
      response: { 200: ref(EndpointPage) },
    },
    handler: async (request) => {
      const page = await notification.listWebhookEndpoints(pageRequest(request.query), asCaller(request));
      return pageJson(page.endpoints.map(endpointJson), page.nextPageToken);
    },
  });

  app.get('/v1/webhook-endpoints/:id', {
    config: { access: EVERY_ROLE, scope: 'notifications:read' },
    schema: {
      tags: ['webhooks'],
      operationId: 'getWebhookEndpoint',
      summary: 'Get a webhook endpoint',
      params: pathId(ref(EndpointId)),
      response: { 200: ref(WebhookEndpoint), 404: NOT_FOUND },
    },
    handler: async (request) => {
      const message = { endpointId: request.params.id };
      return endpointJson((await notification.getWebhookEndpoint(message, asCaller(request))).endpoint);
    },
  });

  app.patch('/v1/webhook-endpoints/:id', {
    config: { access: OWNERS },
    schema: {
      tags: ['webhooks'],
      operationId: 'updateWebhookEndpoint',
      summary: 'Change, disable or enable a webhook endpoint',
      params: pathId(ref(EndpointId)),
      body: ref(EndpointChange),
      response: {
        200: ref(WebhookEndpoint),
        403: NOT_YOURS,
        404: NOT_FOUND,
        422: problem(['URL_NOT_ALLOWED']),
      },
    },
    handler: async (request) => {
      const { url, event_types = [], description, state } = request.body;
      const message = {
        endpointId: request.params.id,
        url,
        eventTypes: event_types,
        description,
        state: state === undefined ? WebhookEndpointState.UNSPECIFIED : ENDPOINT_STATES.numberOf(state),
      };
      return endpointJson((await notification.updateWebhookEndpoint(message, asCaller(request))).endpoint);
    },
  });

  app.delete('/v1/webhook-endpoints/:id', {
    config: { access: OWNERS },
    schema: {
      tags: ['webhooks'],
      operationId: 'deleteWebhookEndpoint',
      summary: 'Delete a webhook endpoint',
      params: pathId(ref(EndpointId)),
      response: { 204: Type.Null({ description: 'It is deleted.' }), 403: NOT_YOURS, 404: NOT_FOUND },
    },
    handler: async (request, reply) => {
      await notification.deleteWebhookEndpoint({ endpointId: request.params.id }, asCaller(request));
      return reply.code(204).send(null);
    },
  });

  app.post('/v1/webhook-endpoints/:id/rotate-secret', {
    config: { access: OWNERS, optionalBody: true },
    schema: {
      tags: ['webhooks'],
      operationId: 'rotateWebhookSecret',
      summary: 'Replace the secret of a webhook endpoint; for 24 hours both secrets sign',
      params: pathId(ref(EndpointId)),
      body: ref(NoFields),
      response: { 200: ref(WebhookEndpointWithSecret), 403: NOT_YOURS, 404: NOT_FOUND },
    },
    handler: async (request) => {
      const message = { endpointId: request.params.id };
      const { endpoint, secret } = await notification.rotateWebhookSecret(message, asCaller(request));
      return { ...endpointJson(endpoint), secret };
    },
  });

  app.post('/v1/webhook-endpoints/:id/test', {
    config: { access: OWNERS, optionalBody: true },
    schema: {
      tags: ['webhooks'],
      operationId: 'testWebhookEndpoint',
      summary: 'Send an event `webhook_endpoint.test` to the endpoint',
      params: pathId(ref(EndpointId)),
      body: ref(NoFields),
      response: {
        202: ref(WebhookDelivery),
        403: NOT_YOURS,
        404: NOT_FOUND,
        409: problem(['ENDPOINT_DISABLED']),
      },
    },
    handler: async (request, reply) => {
      const message = { endpointId: request.params.id };
      const { delivery } = await notification.testWebhookEndpoint(message, asCaller(request));
      reply.code(202);
      return deliveryJson(delivery);
    },
  });

  app.post('/v1/webhook-endpoints/:id/redeliver', {
    config: { access: OWNERS },
    schema: {
      tags: ['webhooks'],
      operationId: 'redeliverWebhooks',
      summary: 'Start the failed deliveries of an endpoint again',
      params: pathId(ref(EndpointId)),
      body: ref(Since),
      response: {
        200: ref(Redelivered),
        403: NOT_YOURS,
        404: NOT_FOUND,
        409: problem(['ENDPOINT_DISABLED']),
      },
    },
    handler: async (request) => {
      const createdAfter = timeOf('/created_after', request.body.created_after, { place: 'body' });
      const message = { endpointId: request.params.id, createdAfter };
      const { redeliveredCount } = await notification.redeliverWebhooks(message, asCaller(request));
      return { redelivered: redeliveredCount };
    },
  });
};
