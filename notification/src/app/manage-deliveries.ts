/** Lists deliveries, starts them again, and sends tests. */
import { type Caller, cutPage, decodePageToken, newId, pageSizeOf } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { NotificationError } from '../domain/errors.ts';
import type { Database, DeliveryState, EndpointRow } from '../store/database.ts';
import {
  type DeliveryWithAttempts,
  findDelivery,
  insertDelivery,
  restartDelivery,
  restartFailed,
  selectDeliveries,
} from '../store/deliveries.ts';
import { findEvent } from '../store/event-lists.ts';
import { recordEvents, type WokenEndpoint } from '../store/record-events.ts';
import { endpointEvent } from './disable-endpoint.ts';
import { readerOf } from './list-events.ts';
import { lockOwn } from './manage-endpoints.ts';

export type { DeliveryWithAttempts };

export interface DeliveryDeps {
  db: Kysely<Database>;
  /** Called after the commit. */
  wake(endpoints: readonly WokenEndpoint[]): void;
}

/** Deliveries that one request starts again. The caller repeats the request for more. */
const MAX_RESTARTED = 10_000;

const Position = Type.Object({ before: Type.String() });

export interface ListDeliveriesInput {
  caller: Caller;
  pageSize: number;
  pageToken: string;
  endpointId: string;
  eventId: string;
  state: DeliveryState | undefined;
}

/** Newest first. Throws INVALID_PAGE_TOKEN. */
export async function listDeliveries({ db }: Pick<DeliveryDeps, 'db'>, input: ListDeliveriesInput) {
  const size = pageSizeOf(input.pageSize);
  const { id, seesAll } = readerOf(input.caller);
  const filter = {
    ownerId: seesAll ? undefined : id,
    endpointId: input.endpointId || undefined,
    eventId: input.eventId || undefined,
    state: input.state,
    beforeId: decodePageToken(input.pageToken, Position)?.before,
  };
  return cutPage(await selectDeliveries(db, filter, size + 1), size, (last) => ({ before: last.id }));
}

/** Throws DELIVERY_NOT_FOUND. */
export async function getDelivery(
  { db }: Pick<DeliveryDeps, 'db'>,
  caller: Caller,
  id: string,
): Promise<DeliveryWithAttempts> {
  const delivery = await findDelivery(db, id);
  const reader = readerOf(caller);
  if (delivery && (reader.seesAll || delivery.owner_id === reader.id)) return delivery;
  throw new NotificationError('DELIVERY_NOT_FOUND', 'There is no such delivery.');
}

/** Throws DELIVERY_NOT_FOUND, ENDPOINT_NOT_FOUND, NOT_YOUR_ENDPOINT, ENDPOINT_DISABLED, EVENT_NOT_FOUND. */
export async function redeliver(
  { db, wake }: DeliveryDeps,
  caller: Caller,
  id: string,
): Promise<DeliveryWithAttempts> {
  const delivery = await getDelivery({ db }, caller, id);
  const { failures } = await inTransaction(db, async (trx) => {
    const endpoint = requireEnabled(await lockOwn(trx, caller, delivery.endpoint_id));
    if (!(await findEvent(trx, delivery.event_id)))
      throw new NotificationError('EVENT_NOT_FOUND', 'The event is no longer kept.');
    await restartDelivery(trx, id);
    return endpoint;
  });
  wake([{ endpointId: delivery.endpoint_id, failures }]);
  return getDelivery({ db }, caller, id);
}

/** Returns the number of deliveries. Throws ENDPOINT_NOT_FOUND, NOT_YOUR_ENDPOINT, ENDPOINT_DISABLED. */
export async function redeliverFailed(
  { db, wake }: DeliveryDeps,
  caller: Caller,
  { endpointId, createdAfter }: { endpointId: string; createdAfter: Date },
): Promise<number> {
  const { count, failures } = await inTransaction(db, async (trx) => {
    const endpoint = requireEnabled(await lockOwn(trx, caller, endpointId));
    const restarted = await restartFailed(trx, { endpointId, createdAfter, limit: MAX_RESTARTED });
    return { count: restarted, failures: endpoint.failures };
  });
  if (count > 0) wake([{ endpointId, failures }]);
  return count;
}

/** Throws ENDPOINT_NOT_FOUND, NOT_YOUR_ENDPOINT, ENDPOINT_DISABLED. */
export async function testEndpoint(
  { db, wake }: DeliveryDeps,
  caller: Caller,
  endpointId: string,
): Promise<DeliveryWithAttempts> {
  const now = new Date();
  const id = newId('whd');
  const { event, failures } = await inTransaction(db, async (trx) => {
    const endpoint = requireEnabled(await lockOwn(trx, caller, endpointId));
    const stored = endpointEvent('webhook_endpoint.test', endpoint, now);
    // No endpoint gets this type by its list, so others of the owner do not get the test.
    await recordEvents(trx, { notifications: [], events: [stored] });
    await insertDelivery(trx, {
      id,
      endpoint_id: endpointId,
      owner_id: endpoint.owner_id,
      event_id: stored.id,
      state: 'pending',
      tries: 0,
      attempt_count: 0,
      next_attempt_at: now,
      created_at: now,
    });
    return { event: stored, failures: endpoint.failures };
  });
  wake([{ endpointId, failures }]);
  const found = await findDelivery(db, id);
  if (!found) throw new Error(`The delivery of the test ${event.id} does not exist.`);
  return found;
}

function requireEnabled(endpoint: EndpointRow): EndpointRow {
  if (endpoint.state === 'enabled') return endpoint;
  throw new NotificationError('ENDPOINT_DISABLED', 'The endpoint is disabled. Enable it first.');
}
