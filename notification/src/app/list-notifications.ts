/** What a caller was told; for an operator or auditor what everybody was told. */
import { type Caller, decodePageToken, encodePageToken, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Database, NotificationRow } from '../store/database.ts';
import { selectNotifications } from '../store/notifications.ts';

const Position = Type.Object({ before: Type.String() });

export interface ListNotificationsInput {
  caller: Caller;
  pageSize: number;
  pageToken: string;
  /** Empty: any. */
  paymentId: string;
  /** Empty: any. */
  accountId: string;
}

/** One page, newest first; the token is empty on the last. Throws CallError INVALID_PAGE_TOKEN. */
export async function listNotifications(
  { db }: { db: Kysely<Database> },
  { caller, pageSize, pageToken, paymentId, accountId }: ListNotificationsInput,
): Promise<{ rows: NotificationRow[]; nextPageToken: string }> {
  const size = pageSizeOf(pageSize);
  const seesAll = caller.roles.includes('operator') || caller.roles.includes('auditor');
  const filter = {
    recipientId: seesAll ? undefined : caller.id,
    paymentId: paymentId || undefined,
    accountId: accountId || undefined,
    beforeId: decodePageToken(pageToken, Position)?.before,
  };
  // One more than asked for says whether another page follows.
  const rows = await selectNotifications(db, filter, size + 1);
  const page = rows.slice(0, size);
  const last = page.at(-1);
  return {
    rows: page,
    nextPageToken: rows.length > size && last ? encodePageToken({ before: last.id }) : '',
  };
}
