/** Pages of audit records, newest first. */

import { cutPage, decodePageToken, pageSizeOf } from '@payflowx/chassis';
import { collectViolations } from '@payflowx/chassis/errors';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { AuditRecord } from '../domain/audit.ts';
import { invalid } from '../domain/errors.ts';
import { type AuditFilter, listAuditRecords as readPage } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import { toPosition, toTokenContent } from './page-position.ts';

/** The content of a page token: the last row of the page. */
const PageToken = Type.Object(
  {
    at: Type.Integer({ minimum: 0, maximum: 8.64e15 }),
    id: Type.String({ pattern: '^(pay|cap|can|ref)_[0-9a-f-]{36}$' }),
  },
  { additionalProperties: false },
);

const IDENTIFIER = /^[\x21-\x7e]{1,64}$/;

/** Throws INVALID_ARGUMENT, INVALID_PAGE_TOKEN. */
export async function listAuditRecords(
  { db }: { db: Kysely<Database> },
  { filter, ...page }: { filter: AuditFilter; pageSize: number; pageToken: string },
): Promise<{ records: AuditRecord[]; nextPageToken: string }> {
  checkFilter(filter);
  const limit = pageSizeOf(page.pageSize);
  const position = toPosition(decodePageToken(page.pageToken, PageToken));
  const found = await readPage(db, filter, position, limit + 1);
  const { rows, nextPageToken } = cutPage(found, limit, ({ createdAt: at, id }) =>
    toTokenContent({ at, id }),
  );
  return { records: rows, nextPageToken };
}

function checkFilter({ accountId, actorId }: AuditFilter): void {
  const violations = collectViolations(invalid);
  const isId = (id: string | undefined) => id === undefined || IDENTIFIER.test(id);
  violations.require(isId(accountId), 'account_id', 'must be 1 to 64 visible ASCII characters');
  violations.require(isId(actorId), 'actor_id', 'must be 1 to 64 visible ASCII characters');
  violations.throwIfAny();
}
