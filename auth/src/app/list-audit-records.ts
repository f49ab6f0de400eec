/** Lists the audit log, newest first. */
import type { Page } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { AuditFilter, AuditRecord } from '../domain/audit.ts';
import * as auditRecords from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import { type PageRequest, toPage } from './page.ts';

export async function listAuditRecords(
  { db }: { db: Kysely<Database> },
  { pageSize, beforeId, filter }: PageRequest & { filter: AuditFilter },
): Promise<Page<AuditRecord>> {
  const found = await auditRecords.listAuditRecords(db, { limit: pageSize + 1, beforeId, filter });
  return toPage(found, pageSize);
}
