/** Makes, changes and deletes webhook endpoints. Owners do what they want with theirs; an operator may disable those of others. */
import { type Caller, cutPage, decodePageToken, type Keys, newId, pageSizeOf } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import { seal } from '@payflowx/chassis/sealing';
import { ANY_TYPE, EVENT_TYPES } from '@payflowx/proto/event-json';
import type { Kysely, Transaction } from 'kysely';
import { Type } from 'typebox';
import { invalid, NotificationError } from '../domain/errors.ts';
import type { Database, EndpointRow, WebhookAuditRow } from '../store/database.ts';
import {
  findEndpoint,
  insertEndpoint,
  insertWebhookAudit,
  listWebhookAudit,
  lockEndpoint,
  listEndpoints as selectEndpoints,
  updateEndpoint as storeEndpoint,
} from '../store/endpoints.ts';
import type { AddressPolicy } from '../webhooks/address-policy.ts';
import { newSecret } from '../webhooks/secrets.ts';
import { readerOf } from './list-events.ts';

export interface EndpointDeps {
  db: Kysely<Database>;
  addresses: AddressPolicy;
  sealingKey: Keys;
}

/** The caller with the trace of its call, for audit records. */
export interface Actor extends Caller {
  traceId: string;
  callId: string;
}

const MAX_ENDPOINTS = 50;
const MAX_DESCRIPTION = 500;
/** After a rotation the previous secret signs for so long too. */
const BOTH_SIGN_MS = 24 * 3_600_000;

/** Returns the endpoint and its secret, which is not shown again. Throws INVALID_ARGUMENT, URL_NOT_ALLOWED, TOO_MANY_ENDPOINTS. */
export async function createEndpoint(
  { db, addresses, sealingKey }: EndpointDeps,
  caller: Caller,
  { url, eventTypes, description }: { url: string; eventTypes: readonly string[]; description: string },
): Promise<{ endpoint: EndpointRow; secret: string }> {
  requireTypes(eventTypes);
  requireDescription(description);
  const href = await addresses.checkUrl(url);
  const [id, secret, now] = [newId('whe'), newSecret(), new Date()];
  const endpoint: EndpointRow = {
    id,
    owner_id: caller.id,
    sees_all: caller.roles.includes('operator'),
    url: href,
    event_types: [...eventTypes],
    description,
    state: 'enabled',
    disabled_reason: '',
    secret: seal(secret, id, sealingKey),
    previous_secret: null,
    previous_secret_until: null,
    failures: 0,
    failing_since: null,
    paused_until: null,
    created_at: now,
    updated_at: now,
  };
  const isStored = await inTransaction(db, (trx) => insertEndpoint(trx, endpoint, MAX_ENDPOINTS));
  if (!isStored)
    throw new NotificationError('TOO_MANY_ENDPOINTS', `A user may have ${MAX_ENDPOINTS} endpoints.`);
  return { endpoint, secret };
}

/** Throws ENDPOINT_NOT_FOUND, also for an endpoint of another user. */
export async function getEndpoint(
  { db }: Pick<EndpointDeps, 'db'>,
  caller: Caller,
  id: string,
): Promise<EndpointRow> {
  return requireVisible(caller, await findEndpoint(db, id));
}

const Position = Type.Object({ before: Type.String() });

/** Newest first. Throws INVALID_PAGE_TOKEN. */
export async function listEndpoints(
  { db }: Pick<EndpointDeps, 'db'>,
  { caller, pageSize, pageToken }: { caller: Caller; pageSize: number; pageToken: string },
) {
  const size = pageSizeOf(pageSize);
  const { id, seesAll } = readerOf(caller);
  const filter = {
    ownerId: seesAll ? undefined : id,
    beforeId: decodePageToken(pageToken, Position)?.before,
  };
  return cutPage(await selectEndpoints(db, filter, size + 1), size, (last) => ({ before: last.id }));
}

export interface EndpointChange {
  url: string | undefined;
  /** Empty: unchanged. */
  eventTypes: readonly string[];
  description: string | undefined;
  state: 'enabled' | 'disabled' | undefined;
}

/** Throws ENDPOINT_NOT_FOUND, NOT_YOUR_ENDPOINT, INVALID_ARGUMENT, URL_NOT_ALLOWED. */
export async function updateEndpoint(
  { db, addresses }: EndpointDeps,
  actor: Actor,
  id: string,
  { url, eventTypes, description, state }: EndpointChange,
): Promise<EndpointRow> {
  if (eventTypes.length > 0) requireTypes(eventTypes);
  if (description !== undefined) requireDescription(description);
  // Not in the transaction, because it may ask a name server.
  const seen = requireVisible(actor, await findEndpoint(db, id));
  const isOwner = seen.owner_id === actor.id;
  const isStateOnly = url === undefined && eventTypes.length === 0 && description === undefined;
  // An auditor sees all endpoints, and may also be a customer, who may call this for its own.
  if (!isOwner && !(isStateOnly && actor.roles.includes('operator'))) throw notYours();
  const href = url === undefined ? undefined : await addresses.checkUrl(url);
  const now = new Date();
  return inTransaction(db, async (trx) => {
    const before = requireVisible(actor, await lockEndpoint(trx, id));
    if (state === 'enabled') requireMayEnable(before, isOwner);
    if (!isOwner && state !== undefined && state !== before.state)
      await insertWebhookAudit(trx, auditRecord(actor, before, state, now));
    return storeEndpoint(trx, id, {
      ...(href !== undefined && { url: href }),
      ...(eventTypes.length > 0 && { event_types: [...eventTypes] }),
      ...(description !== undefined && { description }),
      ...(state !== undefined && state !== before.state && stateChange(state, isOwner)),
      // A new address or a restart begins without the failures of before.
      ...((href !== undefined || state === 'enabled') && {
        failures: 0,
        failing_since: null,
        paused_until: null,
      }),
      updated_at: now,
    });
  });
}

function stateChange(state: 'enabled' | 'disabled', isOwner: boolean) {
  if (state === 'enabled') return { state, disabled_reason: '' } as const;
  return { state, disabled_reason: isOwner ? 'request' : 'operator' } as const;
}

/** The owner cannot undo the decision of an operator, and an operator enables only what an operator disabled. */
function requireMayEnable({ state, disabled_reason }: EndpointRow, isOwner: boolean): void {
  if (state === 'enabled') return;
  if (isOwner === (disabled_reason !== 'operator')) return;
  throw new NotificationError(
    'NOT_YOUR_ENDPOINT',
    isOwner ? 'An operator disabled this endpoint. Only an operator may enable it.' : NOT_YOURS,
  );
}

/** Throws ENDPOINT_NOT_FOUND, NOT_YOUR_ENDPOINT. */
export async function deleteEndpoint(
  { db }: Pick<EndpointDeps, 'db'>,
  caller: Caller,
  id: string,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    await lockOwn(trx, caller, id);
    const nothing = Buffer.alloc(0);
    const secrets = { secret: nothing, previous_secret: null, previous_secret_until: null };
    await storeEndpoint(trx, id, { state: 'deleted', ...secrets, updated_at: new Date() });
  });
}

/** Throws ENDPOINT_NOT_FOUND, NOT_YOUR_ENDPOINT. */
export async function rotateSecret(
  { db, sealingKey }: Pick<EndpointDeps, 'db' | 'sealingKey'>,
  caller: Caller,
  id: string,
): Promise<{ endpoint: EndpointRow; secret: string }> {
  const secret = newSecret();
  const endpoint = await inTransaction(db, async (trx) => {
    const before = await lockOwn(trx, caller, id);
    const now = new Date();
    return storeEndpoint(trx, id, {
      secret: seal(secret, id, sealingKey),
      previous_secret: before.secret,
      previous_secret_until: new Date(now.getTime() + BOTH_SIGN_MS),
      updated_at: now,
    });
  });
  return { endpoint, secret };
}

/** Locks an endpoint for its owner. Throws ENDPOINT_NOT_FOUND, NOT_YOUR_ENDPOINT. */
export async function lockOwn(trx: Transaction<Database>, caller: Caller, id: string): Promise<EndpointRow> {
  const endpoint = requireVisible(caller, await lockEndpoint(trx, id));
  if (endpoint.owner_id !== caller.id) throw notYours();
  return endpoint;
}

/** Newest first. Throws INVALID_PAGE_TOKEN. */
export async function listAudit(
  { db }: Pick<EndpointDeps, 'db'>,
  request: { pageSize: number; pageToken: string; endpointId: string; actorId: string },
) {
  const size = pageSizeOf(request.pageSize);
  const filter = {
    endpointId: request.endpointId || undefined,
    actorId: request.actorId || undefined,
    beforeId: decodePageToken(request.pageToken, Position)?.before,
  };
  return cutPage(await listWebhookAudit(db, filter, size + 1), size, ({ id }) => ({ before: id }));
}

function auditRecord(
  actor: Actor,
  endpoint: EndpointRow,
  state: 'enabled' | 'disabled',
  now: Date,
): WebhookAuditRow {
  return {
    id: newId('aud'),
    actor_id: actor.id,
    action: `webhook_endpoint.${state}`,
    endpoint_id: endpoint.id,
    owner_id: endpoint.owner_id,
    client_id: actor.clientId ?? '',
    trace_id: actor.traceId,
    call_id: actor.callId,
    created_at: now,
  };
}

function requireVisible(caller: Caller, endpoint: EndpointRow | undefined): EndpointRow {
  const { id, seesAll } = readerOf(caller);
  if (endpoint && (seesAll || endpoint.owner_id === id)) return endpoint;
  throw new NotificationError('ENDPOINT_NOT_FOUND', 'There is no such endpoint.');
}

function requireTypes(types: readonly string[]): void {
  const known: readonly string[] = [...EVENT_TYPES, ANY_TYPE];
  if (types.length === 0 || types.some((type) => !known.includes(type)))
    throw invalid('event_types', `must be types of events, or ${ANY_TYPE}`);
}

function requireDescription(text: string): void {
  if (text.length > MAX_DESCRIPTION || text.includes('\0'))
    throw invalid('description', `must be text of at most ${MAX_DESCRIPTION} characters`);
}

const NOT_YOURS = 'Only its owner may do this.';
const notYours = () => new NotificationError('NOT_YOUR_ENDPOINT', NOT_YOURS);
