/** The table dead_letter_audit_records: who sent dead letters back. */
import { type Kysely, sql } from 'kysely';
import { newId } from '../ids.ts';
import type { RedriveAudit, RedriveRecord } from '../messaging/dead-letter-service.ts';
import type { DeadLetterReasonName } from '../messaging/dead-letter-source.ts';

interface Row {
  id: string;
  actor_id: string;
  dead_letter_id: string;
  source: string;
  reason: string;
  redriven_count: number | null;
  trace_id: string;
  call_id: string;
  created_at: Date;
}

export function redriveAudit<DB>(db: Kysely<DB>): RedriveAudit {
  return {
    async begin({ deadLetterId, source, reason = '' }, { callerId, traceId, callId = '' }) {
      const id = newId('aud');
      await sql`
        insert into dead_letter_audit_records
          (id, actor_id, dead_letter_id, source, reason, trace_id, call_id, created_at)
        values (${id}, ${callerId}, ${deadLetterId}, ${source}, ${reason}, ${traceId}, ${callId},
          date_trunc('milliseconds', now()))`.execute(db);
      return id;
    },
    async finish(recordId, redrivenCount) {
      await sql`
        update dead_letter_audit_records set redriven_count = ${redrivenCount}
        where id = ${recordId}`.execute(db);
    },
    async list({ actorId, before, limit }) {
      const { rows } = await sql<Row>`
        select id, actor_id, dead_letter_id, source, reason, redriven_count, trace_id, call_id, created_at
        from dead_letter_audit_records
        where (${actorId ?? null}::text is null or actor_id = ${actorId ?? null})
          and (${before ?? null}::text is null or id < ${before ?? null})
        order by id desc limit ${limit}`.execute(db);
      return rows.map(recordOf);
    },
  };
}

function recordOf(row: Row): RedriveRecord {
  return {
    id: row.id,
    actorId: row.actor_id,
    deadLetterId: row.dead_letter_id,
    source: row.source,
    reason: row.reason === '' ? undefined : (row.reason as DeadLetterReasonName),
    redrivenCount: row.redriven_count ?? undefined,
    traceId: row.trace_id,
    callId: row.call_id,
    createdAt: row.created_at,
  };
}
