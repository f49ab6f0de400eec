/** Reads the reports of reconciliations. */
import { cutPage, decodePageToken, type Page, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { ReconciliationError } from '../domain/errors.ts';
import type { ReconciliationDatabase } from '../store/database.ts';
import { findReport, listReports, type Report, type ReportSummary } from '../store/reports.ts';

const Position = Type.Object({ before: Type.String() });

interface ReadDeps {
  db: Kysely<ReconciliationDatabase>;
}

/** Throws RECONCILIATION_NOT_FOUND. */
export async function readReport({ db }: ReadDeps, id: string): Promise<Report> {
  const report = await findReport(db, id);
  if (report) return report;
  throw new ReconciliationError('RECONCILIATION_NOT_FOUND', 'There is no such reconciliation.');
}

/** Newest first, without their differences. */
export async function readReports(
  { db }: ReadDeps,
  { pageSize, pageToken }: { pageSize: number; pageToken: string },
): Promise<Page<ReportSummary>> {
  const limit = pageSizeOf(pageSize);
  const before = decodePageToken(pageToken, Position)?.before;
  return cutPage(await listReports(db, before, limit + 1), limit, ({ id }) => ({ before: id }));
}
