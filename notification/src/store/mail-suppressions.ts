/** Reads and writes the addresses that get no mails. Upper and lower case are the same. */
import { newId } from '@payflowx/chassis';
import type { Kysely, Transaction } from 'kysely';
import type { Database, MailSuppressionRow } from './database.ts';

export async function isSuppressed(db: Kysely<Database>, address: string): Promise<boolean> {
  const found = await db
    .selectFrom('mail_suppressions')
    .select('id')
    .where('address', '=', address.toLowerCase())
    .executeTakeFirst();
  return found !== undefined;
}

/** The first refusal of an address stays. */
export async function suppress(
  trx: Transaction<Database>,
  { address, response, mailId, now }: { address: string; response: string; mailId: string; now: Date },
): Promise<void> {
  await trx
    .insertInto('mail_suppressions')
    .values({
      id: newId('sup'),
      address: address.toLowerCase(),
      response,
      mail_id: mailId,
      created_at: now,
    })
    .onConflict((conflict) => conflict.column('address').doNothing())
    .execute();
}

/** Returns at most `limit` suppressions, newest first. */
export function selectSuppressions(
  db: Kysely<Database>,
  beforeId: string | undefined,
  limit: number,
): Promise<MailSuppressionRow[]> {
  return db
    .selectFrom('mail_suppressions')
    .select(['id', 'address', 'response', 'mail_id', 'created_at'])
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId as string))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

/** Returns the address, or undefined if there is no such suppression. */
export async function deleteSuppression(db: Kysely<Database>, id: string): Promise<string | undefined> {
  const deleted = await db
    .deleteFrom('mail_suppressions')
    .where('id', '=', id)
    .returning('address')
    .executeTakeFirst();
  return deleted?.address;
}
