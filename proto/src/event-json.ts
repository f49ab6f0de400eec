/** Events as the REST API shows them. The gateway answers with this form, and webhooks carry it. Amounts are bigint. */
import {
  type Event,
  WebhookDeliveryState,
  type WebhookEndpoint,
  WebhookEndpointState,
} from '../gen/payflowx/notification/v1/notification.ts';
import { paymentJson, refundJson } from './payment-json.ts';

/** The version of the form of events. It changes when a field changes its meaning or is removed. */
export const API_VERSION = '2026-11-01';

/** The types of events that readers and webhook endpoints get. Only the tested endpoint gets webhook_endpoint.test. */
export const EVENT_TYPES = [
  'payment.authorized',
  'payment.captured',
  'payment.completed',
  'payment.failed',
  'payment.cancelled',
  'payment.expired',
  'payment.refunded',
  'webhook_endpoint.test',
  'webhook_endpoint.disabled',
] as const;

/** Stands for all types in an endpoint. */
export const ANY_TYPE = '*';

export const DELIVERY_STATE_NAMES = {
  [WebhookDeliveryState.PENDING]: 'pending',
  [WebhookDeliveryState.DELIVERED]: 'delivered',
  [WebhookDeliveryState.FAILED]: 'failed',
} as const;

export const ENDPOINT_STATE_NAMES = {
  [WebhookEndpointState.ENABLED]: 'enabled',
  [WebhookEndpointState.DISABLED]: 'disabled',
} as const;

export function eventJson({ id, type, createdAt, payment, refund, webhookEndpoint }: Event) {
  return {
    id,
    type,
    created_at: timeOf(createdAt),
    api_version: API_VERSION,
    data: {
      ...(payment && { payment: paymentJson(payment) }),
      ...(refund && { refund: refundJson(refund) }),
      ...(webhookEndpoint && { webhook_endpoint: endpointJson(webhookEndpoint) }),
    },
  };
}

export function endpointJson(endpoint: WebhookEndpoint) {
  return {
    id: endpoint.id,
    owner_id: endpoint.ownerId,
    url: endpoint.url,
    event_types: endpoint.eventTypes,
    description: endpoint.description,
    state: stateName(endpoint.state),
    disabled_reason: endpoint.disabledReason === '' ? null : endpoint.disabledReason,
    created_at: timeOf(endpoint.createdAt),
    updated_at: timeOf(endpoint.updatedAt),
  };
}

function stateName(state: WebhookEndpointState): 'enabled' | 'disabled' {
  return state === WebhookEndpointState.ENABLED ? 'enabled' : 'disabled';
}

function timeOf(date: Date | undefined): string {
  if (date === undefined) throw new Error('An event has no time in a required field.');
  return date.toISOString();
}
