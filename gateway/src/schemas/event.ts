/** An event as clients see it, in lists, in streams and in webhooks. */
import { API_VERSION, EVENT_TYPES, eventJson as sharedEventJson } from '@payflowx/proto/event-json';
import type { Event as EventMessage } from '@payflowx/proto/notification';
import { type Static, Type } from 'typebox';
import { EventId } from './ids.ts';
import { named, ref } from './named.ts';
import { PAYMENT_EXAMPLE, Payment } from './payment.ts';
import { Refund } from './refund.ts';
import { time } from './text.ts';
import { WebhookEndpoint } from './webhook.ts';

export const Event = named(
  'Event',
  Type.Object(
    {
      id: ref(EventId),
      type: Type.Unsafe<string>({ type: 'string', enum: [...EVENT_TYPES], description: 'What happened.' }),
      created_at: time('When it happened.'),
      api_version: Type.String({
        description: 'The version of the form of events.',
        examples: [API_VERSION],
      }),
      data: Type.Object(
        {
          payment: Type.Optional(ref(Payment)),
          refund: Type.Optional(ref(Refund)),
          webhook_endpoint: Type.Optional(ref(WebhookEndpoint)),
        },
        {
          description:
            'The payment after this step, and its refund if the step is one. Both are as the reader may see them. Events about endpoints have the endpoint instead.',
        },
      ),
    },
    {
      examples: [
        {
          id: 'evt_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
          type: 'payment.completed',
          created_at: '2026-01-31T12:00:00.000Z',
          api_version: API_VERSION,
          data: { payment: PAYMENT_EXAMPLE },
        },
      ],
    },
  ),
);

export type EventJson = Static<typeof Event>;

export function eventJson(event: EventMessage | undefined): EventJson {
  if (!event) throw new Error('The response of notification has no event.');
  return sharedEventJson(event);
}

const TYPE = EVENT_TYPES.map((type) => type.replace('.', '\\.')).join('|');

export const eventTypes = Type.String({
  maxLength: 600,
  pattern: `^(${TYPE})(,(${TYPE})){0,19}$`,
  description: 'Only events of these types, separated by commas.',
  examples: ['payment.completed,payment.refunded'],
});

export const typesOf = (text: string | undefined): string[] => text?.split(',') ?? [];
