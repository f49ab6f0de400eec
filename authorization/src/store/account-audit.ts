/** Reads and writes the audit records of account changes. Append-only. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { AuditRecord } from '../domain/audit.ts';
import type { Database } from './database.ts';

export async function insertAuditRecord(trx: Transaction<Database>, record: AuditRecord): Promise<void> {
  await insertAuditRecords(trx, [record]);
}

export async function insertAuditRecords(
  trx: Transaction<Database>,
  records: readonly AuditRecord[],
): Promise<void> {
  const rows = records.map((record) => ({
    id: record.id,
    actor_id: record.origin.callerId,
    action: record.action,
    account_id: record.accountId,
    reason: record.reason,
    before: record.before,
    after: record.after,
    trace_id: record.origin.traceId,
    client_id: record.origin.clientId,
    call_id: record.origin.callId,
    created_at: record.createdAt,
  }));
  await sql`
    insert into account_audit_records (
      id, actor_id, action, account_id, reason, before, after, trace_id, client_id, call_id, created_at
    )
    select id, actor_id, action, account_id, reason, before, after, trace_id, client_id, call_id, created_at
    from ${unnest(rows, COLUMNS)} as r`.execute(trx);
}

const COLUMNS = {
  id: 'text',
  actor_id: 'text',
  action: 'text',
  account_id: 'text',
  reason: 'text',
  before: 'jsonb',
  after: 'jsonb',
  trace_id: 'text',
  client_id: 'text',
  call_id: 'text',
  created_at: 'timestamptz',
} as const;

interface AuditPage {
  /** Undefined: all accounts. */
  accountId: string | undefined;
  /** Undefined: all actors. */
  actorId: string | undefined;
  before: string | undefined;
  limit: number;
}

/** Newest first, starting before `before`. */
export async function listAuditRecords(
  db: Kysely<Database>,
  { accountId, actorId, before, limit }: AuditPage,
): Promise<AuditRecord[]> {
  let query = db
    .selectFrom('account_audit_records')
    .select([
      'id',
      'actor_id',
      'action',
      'account_id',
      'reason',
      'before',
      'after',
      'trace_id',
      'client_id',
      'call_id',
      'created_at',
    ]);
  if (accountId !== undefined) query = query.where('account_id', '=', accountId);
  if (actorId !== undefined) query = query.where('actor_id', '=', actorId);
  if (before !== undefined) query = query.where('id', '<', before);
  const rows = await query.orderBy('id', 'desc').limit(limit).execute();
  return rows.map((row) => ({
    id: row.id,
    origin: {
      callerId: row.actor_id,
      clientId: row.client_id ?? undefined,
      traceId: row.trace_id,
      callId: row.call_id ?? undefined,
    },
    action: row.action,
    accountId: row.account_id,
    reason: row.reason,
    before: row.before ?? undefined,
    after: row.after,
    createdAt: row.created_at,
  }));
}
