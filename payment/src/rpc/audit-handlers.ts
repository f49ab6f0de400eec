/** The handler of PaymentService that reads the audit log. */
import { traceFrom } from '@payflowx/chassis';
import {
  ActionOutcome,
  type ListPaymentAuditRecordsRequest,
  type ListPaymentAuditRecordsResponse,
  type PaymentAuditRecord,
} from '@payflowx/proto/payment';
import type { Kysely } from 'kysely';
import { listAuditRecords } from '../app/list-audit-records.ts';
import type { AuditRecord } from '../domain/audit.ts';
import type { Database } from '../store/database.ts';

const OUTCOMES = {
  PENDING: ActionOutcome.PENDING,
  DONE: ActionOutcome.DONE,
  DECLINED: ActionOutcome.DECLINED,
} as const satisfies Record<AuditRecord['outcome'], ActionOutcome>;

export function auditHandlers({ db }: { db: Kysely<Database> }) {
  return {
    listPaymentAuditRecords: async ({
      accountId,
      actorId,
      ...page
    }: ListPaymentAuditRecordsRequest): Promise<ListPaymentAuditRecordsResponse> => {
      const filter = { accountId: accountId || undefined, actorId: actorId || undefined };
      const { records, nextPageToken } = await listAuditRecords({ db }, { ...page, filter });
      return { records: records.map(toAuditMessage), nextPageToken };
    },
  };
}

function toAuditMessage({ requestId, traceparent, ...record }: AuditRecord): PaymentAuditRecord {
  return {
    ...record,
    clientId: record.clientId ?? '',
    outcome: OUTCOMES[record.outcome],
    failureCode: record.failureCode ?? '',
    ownerId: record.ownerId ?? '',
    idempotencyKey: requestId,
    traceId: traceparent === '' ? '' : traceFrom(traceparent).traceId,
  };
}
