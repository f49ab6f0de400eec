/** Reads and writes the table webhook_endpoints, and the audit records of it. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database, EndpointRow, WebhookAuditRow } from './database.ts';

const COLUMNS = [
  'id',
  'owner_id',
  'sees_all',
  'url',
  'event_types',
  'description',
  'state',
  'disabled_reason',
  'secret',
  'previous_secret',
  'previous_secret_until',
  'failures',
  'failing_since',
  'paused_until',
  'created_at',
  'updated_at',
] as const satisfies (keyof EndpointRow)[];

/** Stores the endpoint, unless its owner has `max` already. Two requests of one owner run one after the other. */
export async function insertEndpoint(
  trx: Transaction<Database>,
  row: EndpointRow,
  max: number,
): Promise<boolean> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`webhook endpoints ${row.owner_id}`}, 0))`.execute(
    trx,
  );
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from webhook_endpoints where owner_id = ${row.owner_id} and state <> 'deleted'`.execute(
    trx,
  );
  if ((rows[0]?.count ?? 0) >= max) return false;
  await trx.insertInto('webhook_endpoints').values(row).execute();
  return true;
}

/** Deleted endpoints are not found. */
export function findEndpoint(db: Kysely<Database>, id: string): Promise<EndpointRow | undefined> {
  return db
    .selectFrom('webhook_endpoints')
    .select(COLUMNS)
    .where('id', '=', id)
    .where('state', '<>', 'deleted')
    .executeTakeFirst();
}

export function lockEndpoint(trx: Transaction<Database>, id: string): Promise<EndpointRow | undefined> {
  return trx
    .selectFrom('webhook_endpoints')
    .select(COLUMNS)
    .where('id', '=', id)
    .where('state', '<>', 'deleted')
    .forUpdate()
    .executeTakeFirst();
}

export async function updateEndpoint(
  trx: Transaction<Database>,
  id: string,
  change: Partial<Omit<EndpointRow, 'id'>>,
): Promise<EndpointRow> {
  return trx
    .updateTable('webhook_endpoints')
    .set(change)
    .where('id', '=', id)
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
}

/** Newest first. */
export function listEndpoints(
  db: Kysely<Database>,
  { ownerId, beforeId }: { ownerId: string | undefined; beforeId: string | undefined },
  limit: number,
): Promise<EndpointRow[]> {
  return db
    .selectFrom('webhook_endpoints')
    .select(COLUMNS)
    .where('state', '<>', 'deleted')
    .$if(ownerId !== undefined, (query) => query.where('owner_id', '=', ownerId as string))
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId as string))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

export async function insertWebhookAudit(trx: Transaction<Database>, record: WebhookAuditRow): Promise<void> {
  await trx.insertInto('webhook_audit_records').values(record).execute();
}

/** Newest first. */
export function listWebhookAudit(
  db: Kysely<Database>,
  filter: { endpointId: string | undefined; actorId: string | undefined; beforeId: string | undefined },
  limit: number,
): Promise<WebhookAuditRow[]> {
  const { endpointId, actorId, beforeId } = filter;
  return db
    .selectFrom('webhook_audit_records')
    .select([
      'id',
      'actor_id',
      'action',
      'endpoint_id',
      'owner_id',
      'client_id',
      'trace_id',
      'call_id',
      'created_at',
    ])
    .$if(endpointId !== undefined, (query) => query.where('endpoint_id', '=', endpointId as string))
    .$if(actorId !== undefined, (query) => query.where('actor_id', '=', actorId as string))
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId as string))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

type Sealed = Pick<EndpointRow, 'id' | 'secret' | 'previous_secret'>;

/** The sealed secrets of endpoints that are not deleted, in the order of their ids. */
export function listSealedSecrets(db: Kysely<Database>, after: string, limit: number): Promise<Sealed[]> {
  return db
    .selectFrom('webhook_endpoints')
    .select(['id', 'secret', 'previous_secret'])
    .where('state', '<>', 'deleted')
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Changes nothing if the secret is no longer that of `before`. */
export async function replaceSealedSecrets(
  trx: Transaction<Database>,
  { id, secret, previous_secret }: Sealed,
  before: Sealed,
): Promise<void> {
  await trx
    .updateTable('webhook_endpoints')
    .set({ secret, previous_secret })
    .where('id', '=', id)
    .where('secret', '=', before.secret)
    .execute();
}
