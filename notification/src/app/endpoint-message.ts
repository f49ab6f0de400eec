/** Translates an endpoint to the message of the contract. Its secret is not part of it. */
import { type WebhookEndpoint, WebhookEndpointState } from '@payflowx/proto/notification';
import type { EndpointRow } from '../store/database.ts';

export function toEndpointMessage(row: EndpointRow): WebhookEndpoint {
  return {
    id: row.id,
    ownerId: row.owner_id,
    url: row.url,
    eventTypes: row.event_types,
    description: row.description,
    state: row.state === 'enabled' ? WebhookEndpointState.ENABLED : WebhookEndpointState.DISABLED,
    disabledReason: row.disabled_reason,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
