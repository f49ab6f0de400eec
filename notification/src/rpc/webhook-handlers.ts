/** The handlers of webhook endpoints and deliveries. */
import { type Call, type Handlers, requireCaller } from '@payflowx/chassis';
import type { NotificationServiceService } from '@payflowx/proto/notification';
import { toEndpointMessage } from '../app/endpoint-message.ts';
import {
  type DeliveryDeps,
  getDelivery,
  listDeliveries,
  redeliver,
  redeliverFailed,
  testEndpoint,
} from '../app/manage-deliveries.ts';
import {
  type Actor,
  createEndpoint,
  deleteEndpoint,
  type EndpointDeps,
  getEndpoint,
  listAudit,
  listEndpoints,
  rotateSecret,
  updateEndpoint,
} from '../app/manage-endpoints.ts';
import { invalid } from '../domain/errors.ts';
import { toAuditMessage, toDeliveryMessage, toDeliveryState, toEndpointState } from './webhook-messages.ts';

type All = Handlers<typeof NotificationServiceService>;
type EndpointHandlers = Pick<
  All,
  | 'createWebhookEndpoint'
  | 'listWebhookEndpoints'
  | 'getWebhookEndpoint'
  | 'updateWebhookEndpoint'
  | 'deleteWebhookEndpoint'
  | 'rotateWebhookSecret'
  | 'listWebhookAuditRecords'
>;
type DeliveryHandlers = Pick<
  All,
  | 'testWebhookEndpoint'
  | 'redeliverWebhooks'
  | 'listWebhookDeliveries'
  | 'getWebhookDelivery'
  | 'redeliverWebhook'
>;

export function endpointHandlers(deps: EndpointDeps): EndpointHandlers {
  return {
    async createWebhookEndpoint(request, call) {
      const { endpoint, secret } = await createEndpoint(deps, requireCaller(call), request);
      return { endpoint: toEndpointMessage(endpoint), secret };
    },
    async listWebhookEndpoints(request, call) {
      const { rows, nextPageToken } = await listEndpoints(deps, { ...request, caller: requireCaller(call) });
      return { endpoints: rows.map(toEndpointMessage), nextPageToken };
    },
    async getWebhookEndpoint({ endpointId }, call) {
      return { endpoint: toEndpointMessage(await getEndpoint(deps, requireCaller(call), endpointId)) };
    },
    async updateWebhookEndpoint({ endpointId, url, eventTypes, description, state }, call) {
      const change = { url, eventTypes, description, state: toEndpointState(state) };
      return { endpoint: toEndpointMessage(await updateEndpoint(deps, actorOf(call), endpointId, change)) };
    },
    async deleteWebhookEndpoint({ endpointId }, call) {
      await deleteEndpoint(deps, requireCaller(call), endpointId);
      return {};
    },
    async rotateWebhookSecret({ endpointId }, call) {
      const { endpoint, secret } = await rotateSecret(deps, requireCaller(call), endpointId);
      return { endpoint: toEndpointMessage(endpoint), secret };
    },
    async listWebhookAuditRecords(request) {
      const { rows, nextPageToken } = await listAudit(deps, request);
      return { records: rows.map(toAuditMessage), nextPageToken };
    },
  };
}

export function deliveryHandlers(deps: DeliveryDeps): DeliveryHandlers {
  return {
    async testWebhookEndpoint({ endpointId }, call) {
      return { delivery: toDeliveryMessage(await testEndpoint(deps, requireCaller(call), endpointId)) };
    },
    async redeliverWebhooks({ endpointId, createdAfter }, call) {
      if (!createdAfter) throw invalid('created_after', 'is required');
      const request = { endpointId, createdAfter };
      return { redeliveredCount: await redeliverFailed(deps, requireCaller(call), request) };
    },
    async listWebhookDeliveries({ state, ...request }, call) {
      const input = { ...request, state: toDeliveryState(state), caller: requireCaller(call) };
      const { rows, nextPageToken } = await listDeliveries(deps, input);
      return { deliveries: rows.map(toDeliveryMessage), nextPageToken };
    },
    async getWebhookDelivery({ deliveryId }, call) {
      return { delivery: toDeliveryMessage(await getDelivery(deps, requireCaller(call), deliveryId)) };
    },
    async redeliverWebhook({ deliveryId }, call) {
      return { delivery: toDeliveryMessage(await redeliver(deps, requireCaller(call), deliveryId)) };
    },
  };
}

function actorOf(call: Call): Actor {
  return { ...requireCaller(call), traceId: call.trace.traceId, callId: call.id };
}
