/** Reads mandates for callers who may see them: the owners of both accounts, operators and auditors. */
import { type Caller, cutPage, decodePageToken, type Page, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { AuthorizationError } from '../domain/errors.ts';
import { isId } from '../domain/ids.ts';
import type { FoundMandate, MandateRecord } from '../domain/mandate.ts';
import type { Database } from '../store/database.ts';
import { findMandate, listMandates, type MandateFilter } from '../store/mandates.ts';

/** The content of a page token: the id of the last row of the page. */
const Position = Type.Object({ id: Type.String() });

interface ReadDeps {
  db: Kysely<Database>;
  now: () => Date;
}

/** Throws MANDATE_NOT_FOUND, also for a mandate of others: callers must not learn that it exists. */
export async function readMandate(
  { db }: Pick<ReadDeps, 'db'>,
  caller: Caller,
  mandateId: string,
): Promise<FoundMandate> {
  const found = isId(mandateId) ? await findMandate(db, mandateId) : undefined;
  if (!found || !maySeeMandate(caller, found.mandate)) throw mandateNotFound();
  return found;
}

export interface ListRequest {
  pageSize: number;
  pageToken: string;
  filter: Omit<MandateFilter, 'ownerId' | 'now'>;
}

/** Lists the mandates that the caller may see, newest first. Throws INVALID_PAGE_TOKEN. */
export async function readMandates(
  { db, now }: ReadDeps,
  caller: Caller,
  { pageSize, pageToken, filter }: ListRequest,
): Promise<Page<FoundMandate>> {
  const before = decodePageToken(pageToken, Position)?.id;
  const limit = pageSizeOf(pageSize);
  const ownerId = seesAllMandates(caller) ? undefined : caller.id;
  const found = await listMandates(db, { ...filter, ownerId, now: now() }, { before, limit: limit + 1 });
  return cutPage(found, limit, ({ mandate: { id } }) => ({ id }));
}

export function seesAllMandates({ roles }: Caller): boolean {
  return roles.some((role) => role === 'operator' || role === 'auditor');
}

export function maySeeMandate(
  caller: Caller,
  { fromOwnerId, toOwnerId }: Pick<MandateRecord, 'fromOwnerId' | 'toOwnerId'>,
): boolean {
  return seesAllMandates(caller) || caller.id === fromOwnerId || caller.id === toOwnerId;
}

export function mandateNotFound(): AuthorizationError {
  return new AuthorizationError('MANDATE_NOT_FOUND', 'There is no such mandate.');
}
