/** Lists the notifications of a caller. Operators and auditors see those of all users. */
import { type Caller, cutPage, decodePageToken, type Page, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Database, NotificationRow } from '../store/database.ts';
import { selectNotifications } from '../store/notifications.ts';

const Position = Type.Object({ before: Type.String() });

export interface ListNotificationsInput {
  caller: Caller;
  pageSize: number;
  pageToken: string;
  /** Empty for any payment. */
  paymentId: string;
  /** Empty for any account. */
  accountId: string;
}

/** Returns one page, newest first. Throws CallError INVALID_PAGE_TOKEN. */
export async function listNotifications(
  { db }: { db: Kysely<Database> },
  { caller, pageSize, pageToken, paymentId, accountId }: ListNotificationsInput,
): Promise<Page<NotificationRow>> {
  const size = pageSizeOf(pageSize);
  const seesAll = caller.roles.includes('operator') || caller.roles.includes('auditor');
  const filter = {
    recipientId: seesAll ? undefined : caller.id,
    paymentId: paymentId || undefined,
    accountId: accountId || undefined,
    isInboxOnly: !seesAll,
    beforeId: decodePageToken(pageToken, Position)?.before,
  };
  const found = await selectNotifications(db, filter, size + 1);
  return cutPage(found, size, ({ id }) => ({ before: id }));
}
