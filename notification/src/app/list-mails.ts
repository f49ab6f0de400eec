/** Lists mails, and the addresses that get none, for operators and auditors. */
import { cutPage, decodePageToken, type Page, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Database, MailSuppressionRow } from '../store/database.ts';
import { selectSuppressions } from '../store/mail-suppressions.ts';
import { type Mail, type MailFilter, selectMails } from '../store/mails.ts';

const Position = Type.Object({ before: Type.String() });

interface PageRequest {
  pageSize: number;
  pageToken: string;
}

/** Returns one page, newest first. Throws CallError INVALID_PAGE_TOKEN. */
export async function listMails(
  { db }: { db: Kysely<Database> },
  { pageSize, pageToken, ...filter }: PageRequest & Omit<MailFilter, 'beforeId'>,
): Promise<Page<Mail>> {
  const size = pageSizeOf(pageSize);
  const beforeId = decodePageToken(pageToken, Position)?.before;
  const found = await selectMails(db, { ...filter, beforeId }, size + 1);
  return cutPage(found, size, ({ id }) => ({ before: id }));
}

/** Returns one page, newest first. Throws CallError INVALID_PAGE_TOKEN. */
export async function listSuppressions(
  { db }: { db: Kysely<Database> },
  { pageSize, pageToken }: PageRequest,
): Promise<Page<MailSuppressionRow>> {
  const size = pageSizeOf(pageSize);
  const found = await selectSuppressions(db, decodePageToken(pageToken, Position)?.before, size + 1);
  return cutPage(found, size, ({ id }) => ({ before: id }));
}
