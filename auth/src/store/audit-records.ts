/** Reads and writes the audit log. Append-only: the database refuses updates and deletes. */
import { newId, type Origin } from '@payflowx/chassis';
import type { Kysely, Transaction } from 'kysely';
import type { AuditFact, AuditFilter, AuditRecord } from '../domain/audit.ts';
import { securityChangeOf } from '../domain/security-changes.ts';
import { announce } from '../messages/identity-event.ts';
import type { Database } from './database.ts';

/** Adds a record in the transaction of the change. If the change is about a user's security, it is announced to the user. */
export async function insertAuditRecord(
  trx: Transaction<Database>,
  origin: Origin,
  fact: AuditFact,
  now: Date,
): Promise<void> {
  await trx
    .insertInto('identity_audit_records')
    .values({
      id: newId('aud'),
      actor_id: origin.callerId,
      action: fact.action,
      subject_id: fact.subjectId,
      details: JSON.stringify(fact.details),
      trace_id: origin.traceId,
      client_id: origin.clientId ?? null,
      call_id: origin.callId ?? null,
      created_at: now,
    })
    .execute();
  const change = securityChangeOf(fact);
  if (change) await announce(trx, [{ type: 'identity.security_changed', change }], now);
}

/** Newest first. */
export async function listAuditRecords(
  db: Kysely<Database>,
  { limit, beforeId, filter }: { limit: number; beforeId: string | undefined; filter: AuditFilter },
): Promise<AuditRecord[]> {
  const { subjectId, actorId, action } = filter;
  const rows = await db
    .selectFrom('identity_audit_records')
    .select([
      'id',
      'actor_id',
      'action',
      'subject_id',
      'details',
      'trace_id',
      'client_id',
      'call_id',
      'created_at',
    ])
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId ?? ''))
    .$if(subjectId !== undefined, (query) => query.where('subject_id', '=', subjectId ?? ''))
    .$if(actorId !== undefined, (query) => query.where('actor_id', '=', actorId ?? ''))
    .$if(action !== undefined, (query) => query.where('action', '=', action ?? 'user.created'))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    origin: {
      callerId: row.actor_id,
      traceId: row.trace_id,
      clientId: row.client_id ?? undefined,
      callId: row.call_id ?? undefined,
    },
    action: row.action,
    subjectId: row.subject_id,
    details: row.details,
    createdAt: row.created_at,
  }));
}
