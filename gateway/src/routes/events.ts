/** The event log: steps of payments, and what happened to webhook endpoints. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { Event, eventJson, eventTypes, typesOf } from '../schemas/event.ts';
import { AnyAccountId, EventId, PaymentId, pathId } from '../schemas/ids.ts';
import { ref } from '../schemas/named.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { timeInput, timeOf } from '../schemas/text.ts';

const EventPage = pageOf('EventPage', Event);

export const eventSchemas = [Event, EventPage];

interface Options {
  notification: Neighbours['notification'];
}

export const eventRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { notification }) => {
  app.get('/v1/events', {
    config: { access: EVERY_ROLE, scope: 'payments:read' },
    schema: {
      tags: ['events'],
      operationId: 'listEvents',
      summary:
        'List events, newest first: customers see those of their payments, operators and auditors see all',
      description: 'Events are kept for 30 days, unless the platform is configured otherwise.',
      querystring: query({
        ...pageQuery,
        type: Type.Optional(eventTypes),
        payment_id: Type.Optional(ref(PaymentId)),
        account_id: Type.Optional(ref(AnyAccountId)),
        created_after: Type.Optional(timeInput('Happened at this time or later.')),
        created_before: Type.Optional(timeInput('Happened before this time.')),
      }),
      response: { 200: ref(EventPage) },
    },
    handler: async (request) => {
      const { type, payment_id = '', account_id = '', created_after, created_before } = request.query;
      const message = {
        ...pageRequest(request.query),
        types: typesOf(type),
        paymentId: payment_id,
        accountId: account_id,
        createdAfter: timeOf('/created_after', created_after),
        createdBefore: timeOf('/created_before', created_before),
      };
      const page = await notification.listEvents(message, asCaller(request));
      return pageJson(page.events.map(eventJson), page.nextPageToken);
    },
  });

  app.get('/v1/events/:id', {
    config: { access: EVERY_ROLE, scope: 'payments:read' },
    schema: {
      tags: ['events'],
      operationId: 'getEvent',
      summary: 'Get an event',
      params: pathId(ref(EventId)),
      response: { 200: ref(Event), 404: problem(['EVENT_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { event } = await notification.getEvent({ eventId: request.params.id }, asCaller(request));
      return eventJson(event);
    },
  });
};
