/** Translates deliveries and audit records to messages of the contract, and states from them. */
import {
  type WebhookAuditRecord,
  type WebhookDelivery,
  WebhookDeliveryState,
  WebhookEndpointState,
} from '@payflowx/proto/notification';
import type { DeliveryWithAttempts } from '../app/manage-deliveries.ts';
import { invalid } from '../domain/errors.ts';
import type { DeliveryState, WebhookAuditRow } from '../store/database.ts';

const STATE_CODES: Record<DeliveryState, WebhookDeliveryState> = {
  pending: WebhookDeliveryState.PENDING,
  delivered: WebhookDeliveryState.DELIVERED,
  failed: WebhookDeliveryState.FAILED,
};

export function toDeliveryMessage(row: DeliveryWithAttempts): WebhookDelivery {
  return {
    id: row.id,
    endpointId: row.endpoint_id,
    eventId: row.event_id,
    state: STATE_CODES[row.state],
    nextAttemptAt: row.next_attempt_at ?? undefined,
    attempts: row.attempts.map(({ at, status, latency_ms, response, error }) => ({
      at,
      status: status ?? 0,
      latencyMs: latency_ms,
      response,
      error,
    })),
    createdAt: row.created_at,
  };
}

/** Undefined: any state. Throws INVALID_ARGUMENT for a number that is not in the contract. */
export function toDeliveryState(code: WebhookDeliveryState): DeliveryState | undefined {
  switch (code) {
    case WebhookDeliveryState.UNSPECIFIED:
      return undefined;
    case WebhookDeliveryState.PENDING:
      return 'pending';
    case WebhookDeliveryState.DELIVERED:
      return 'delivered';
    case WebhookDeliveryState.FAILED:
      return 'failed';
    default:
      throw invalid('state', 'must be a state of a delivery');
  }
}

/** Undefined: unchanged. Throws INVALID_ARGUMENT for a number that is not in the contract. */
export function toEndpointState(code: WebhookEndpointState): 'enabled' | 'disabled' | undefined {
  switch (code) {
    case WebhookEndpointState.UNSPECIFIED:
      return undefined;
    case WebhookEndpointState.ENABLED:
      return 'enabled';
    case WebhookEndpointState.DISABLED:
      return 'disabled';
    default:
      throw invalid('state', 'must be enabled or disabled');
  }
}

export function toAuditMessage(row: WebhookAuditRow): WebhookAuditRecord {
  return {
    id: row.id,
    actorId: row.actor_id,
    action: row.action,
    endpointId: row.endpoint_id,
    ownerId: row.owner_id,
    clientId: row.client_id,
    traceId: row.trace_id,
    callId: row.call_id,
    createdAt: row.created_at,
  };
}
