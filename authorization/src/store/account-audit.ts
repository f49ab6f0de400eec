/** What operators did to accounts. Append-only. */
import type { Kysely, Transaction } from 'kysely';
import type { AuditRecord } from '../domain/audit.ts';
import type { Database } from './database.ts';

export async function insertAuditRecord(trx: Transaction<Database>, record: AuditRecord): Promise<void> {
  await trx
    .insertInto('account_audit_records')
    .values({
      id: record.id,
      actor_id: record.actor.id,
      action: record.action,
      account_id: record.accountId,
      reason: record.reason,
      before: record.before ?? null,
      after: record.after,
      trace_id: record.actor.traceId,
      created_at: record.createdAt,
    })
    .execute();
}

interface AuditPage {
  /** Undefined: of any account. */
  accountId: string | undefined;
  /** Undefined: by anybody. */
  actorId: string | undefined;
  before: string | undefined;
  limit: number;
}

/** Newest first, beginning before `before`. */
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
      'created_at',
    ]);
  if (accountId !== undefined) query = query.where('account_id', '=', accountId);
  if (actorId !== undefined) query = query.where('actor_id', '=', actorId);
  if (before !== undefined) query = query.where('id', '<', before);
  const rows = await query.orderBy('id', 'desc').limit(limit).execute();
  return rows.map((row) => ({
    id: row.id,
    actor: { id: row.actor_id, traceId: row.trace_id },
    action: row.action,
    accountId: row.account_id,
    reason: row.reason,
    before: row.before ?? undefined,
    after: row.after,
    createdAt: row.created_at,
  }));
}
