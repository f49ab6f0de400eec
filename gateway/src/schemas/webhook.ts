/** Webhook endpoints and deliveries as clients see them. */
import {
  ANY_TYPE,
  DELIVERY_STATE_NAMES,
  ENDPOINT_STATE_NAMES,
  EVENT_TYPES,
  endpointJson as sharedEndpointJson,
} from '@payflowx/proto/event-json';
import type {
  WebhookDelivery as DeliveryMessage,
  WebhookEndpoint as EndpointMessage,
} from '@payflowx/proto/notification';
import { type Static, Type } from 'typebox';
import { DeliveryId, EndpointId, EventId, UserId } from './ids.ts';
import { named, ref } from './named.ts';
import { nullableText, nullableTime, nullableTimeJson, text, time, timeJson } from './text.ts';
import { wireNames } from './wire-names.ts';

export const ENDPOINT_STATES = wireNames('The state of the endpoint.', ENDPOINT_STATE_NAMES);

export const DELIVERY_STATES = wireNames(
  'The state of the delivery. `pending`: another attempt follows. `failed`: none follows by itself.',
  DELIVERY_STATE_NAMES,
);

/** The types that an endpoint may subscribe to. */
export const SubscribedTypes = Type.Array(
  Type.Unsafe<string>({ type: 'string', enum: [ANY_TYPE, ...EVENT_TYPES] }),
  {
    minItems: 1,
    maxItems: 20,
    uniqueItems: true,
    description: 'The types of events that the endpoint gets. `*` stands for all types.',
    examples: [['payment.completed', 'payment.refunded']],
  },
);

export const endpointUrl = Type.String({
  minLength: 1,
  maxLength: 2_048,
  description:
    'The address that events are sent to: `https`, without a user name and a fragment. Addresses of private networks are refused.',
  examples: ['https://example.com/webhooks'],
});

export const endpointDescription = text(500, 'A text for people to read.', 'The shop');

const members = {
  id: ref(EndpointId),
  owner_id: ref(UserId),
  url: Type.String({ examples: ['https://example.com/webhooks'] }),
  event_types: Type.Array(Type.String(), {
    description: 'The types of events that it gets. `*` stands for all types.',
    examples: [['payment.completed', 'payment.refunded']],
  }),
  description: Type.String({ description: 'A text for people to read.', examples: ['The shop'] }),
  state: ENDPOINT_STATES.schema,
  disabled_reason: nullableText(
    'Why it is disabled: `request` of its owner, `operator`, `gone` (it answered 410) or `failing` (for 5 days); null while it is enabled.',
  ),
  created_at: time('When it was created.'),
  updated_at: time('When it last changed.'),
};

export const WebhookEndpoint = named('WebhookEndpoint', Type.Object(members));

export const WebhookEndpointWithSecret = named(
  'WebhookEndpointWithSecret',
  Type.Object({
    ...members,
    secret: Type.String({
      description: 'Verifies the signatures of webhooks. Shown only in this response.',
      examples: ['whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
    }),
  }),
);

const Attempt = Type.Object({
  at: time('When the request was sent.'),
  status: Type.Unsafe<number | null>({
    type: ['integer', 'null'],
    description: 'The status of the response; null if there was none.',
  }),
  ms: Type.Integer({ description: 'Milliseconds until the response, or until the attempt failed.' }),
  response: Type.String({ description: 'The first KiB of the body.' }),
  error: nullableText('Why the attempt failed; null if it did not.'),
});

export const WebhookDelivery = named(
  'WebhookDelivery',
  Type.Object({
    id: ref(DeliveryId),
    endpoint_id: ref(EndpointId),
    event_id: ref(EventId),
    state: DELIVERY_STATES.schema,
    next_attempt_at: nullableTime('When the next attempt is due; null unless the delivery is pending.'),
    attempts: Type.Array(Attempt, { description: 'The last 20 attempts, oldest first.' }),
    created_at: time('When the delivery was created.'),
  }),
);

export const endpointJson = (endpoint: EndpointMessage | undefined): Static<typeof WebhookEndpoint> => {
  if (!endpoint) throw new Error('The response of notification has no endpoint.');
  return sharedEndpointJson(endpoint);
};

export function deliveryJson(delivery: DeliveryMessage | undefined): Static<typeof WebhookDelivery> {
  if (!delivery) throw new Error('The response of notification has no delivery.');
  return {
    id: delivery.id,
    endpoint_id: delivery.endpointId,
    event_id: delivery.eventId,
    state: DELIVERY_STATES.nameOf(delivery.state),
    next_attempt_at: nullableTimeJson(delivery.nextAttemptAt),
    attempts: delivery.attempts.map(({ at, status, latencyMs, response, error }) => ({
      at: timeJson(at),
      status: status === 0 ? null : status,
      ms: latencyMs,
      response,
      error: error === '' ? null : error,
    })),
    created_at: timeJson(delivery.createdAt),
  };
}
