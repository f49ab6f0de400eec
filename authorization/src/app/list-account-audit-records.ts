/** Lists the audit records of changes to accounts, newest first. */
import { collectViolations, cutPage, decodePageToken, type Page, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { AuditRecord } from '../domain/audit.ts';
import { invalid } from '../domain/errors.ts';
import { isId } from '../domain/ids.ts';
import { listAuditRecords } from '../store/account-audit.ts';
import type { Database } from '../store/database.ts';

/** The content of a page token: the id of the last row of the page. */
const Position = Type.Object({ id: Type.String() });

interface AuditRequest {
  pageSize: number;
  pageToken: string;
  /** Empty: all accounts. */
  accountId: string;
  /** Empty: all actors. */
  actorId: string;
}

/** Throws INVALID_ARGUMENT. */
export async function listAccountAuditRecords(
  { db }: { db: Kysely<Database> },
  { pageSize, pageToken, accountId, actorId }: AuditRequest,
): Promise<Page<AuditRecord>> {
  const before = decodePageToken(pageToken, Position)?.id;
  const limit = pageSizeOf(pageSize);
  const filter = {
    accountId: filterOf('account_id', accountId),
    actorId: filterOf('actor_id', actorId),
  };
  const found = await listAuditRecords(db, { ...filter, before, limit: limit + 1 });
  return cutPage(found, limit, ({ id }) => ({ id }));
}

function filterOf(field: string, id: string): string | undefined {
  if (id === '') return undefined;
  const violations = collectViolations(invalid);
  violations.require(isId(id), field, 'must be 1 to 64 visible ASCII characters');
  violations.throwIfAny();
  return id;
}
