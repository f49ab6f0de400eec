/** Reads and writes the table mails. */
import { idAt } from '@payflowx/chassis';
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { MailContent } from '../domain/mail-content.ts';
import type { Database, MailRow, MailState } from './database.ts';

export interface NewMail {
  id: string;
  /** Of two mails with the same cause, the first is stored. */
  cause: string;
  /** The step that the mail is about. Undefined for other mails. */
  eventId?: string;
  userId: string;
  /** Null: the address of the user at the time of sending. */
  address: string | null;
  paymentId: string | null;
  content: MailContent;
  createdAt: Date;
}

/**
 * Returns the ids of the mails that are new. A step that has a notification was recorded before, and its mail was decided on then: an
 * old event that is published again causes no mail.
 */
export async function insertMails(trx: Transaction<Database>, mails: readonly NewMail[]): Promise<string[]> {
  if (mails.length === 0) return [];
  // In the order of the unique index, so that two consumers that store the same mails cannot deadlock.
  const sorted = mails.toSorted((a, b) => (a.cause < b.cause ? -1 : Number(a.cause > b.cause)));
  const rows = sorted.map((mail) => ({
    id: mail.id,
    cause: mail.cause,
    event_id: mail.eventId,
    user_id: mail.userId,
    address: mail.address,
    payment_id: mail.paymentId,
    content: mail.content,
    created_at: mail.createdAt,
  }));
  const source = unnest(rows, {
    id: 'text',
    cause: 'text',
    event_id: 'text',
    user_id: 'text',
    address: 'text',
    payment_id: 'text',
    content: 'jsonb',
    created_at: 'timestamptz',
  });
  const inserted = await sql<{ id: string }>`
    insert into mails (id, cause, user_id, address, payment_id, content, state, created_at)
    select r.id, r.cause, r.user_id, r.address, r.payment_id, r.content, 'pending', r.created_at
    from ${source} as r
    where not exists (select from notifications as n where n.event_id = r.event_id)
    order by r.ordinality
    on conflict (cause) do nothing
    returning id`.execute(trx);
  return inserted.rows.map(({ id }) => id);
}

const COLUMNS = [
  ...(['id', 'user_id', 'address', 'payment_id', 'content', 'state', 'reason'] as const),
  ...(['attempts', 'last_error', 'created_at', 'sent_at'] as const),
] as const;
export type Mail = Pick<MailRow, (typeof COLUMNS)[number]>;

export function findMail(db: Kysely<Database>, id: string): Promise<Mail | undefined> {
  return db.selectFrom('mails').select(COLUMNS).where('id', '=', id).executeTakeFirst();
}

export interface MailOutcome {
  state: MailState;
  reason: string | null;
  lastError: string | null;
  address: string | null;
  attempts: number;
  sentAt: Date | null;
}

/** Changes only a pending mail: two instances may send the same one after a crash, and the first outcome stays. */
export async function saveOutcome(
  trx: Transaction<Database>,
  id: string,
  outcome: MailOutcome,
): Promise<void> {
  await trx
    .updateTable('mails')
    .set({
      state: outcome.state,
      reason: outcome.reason,
      last_error: outcome.lastError,
      address: outcome.address,
      attempts: outcome.attempts,
      sent_at: outcome.sentAt,
    })
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .execute();
}

export interface MailFilter {
  /** Undefined for all users. */
  userId: string | undefined;
  /** Undefined for mails about any payment, and for those about none. */
  paymentId: string | undefined;
  state: MailState | undefined;
  beforeId: string | undefined;
}

/** Returns at most `limit` mails, newest first. */
export function selectMails(
  db: Kysely<Database>,
  { userId, paymentId, state, beforeId }: MailFilter,
  limit: number,
): Promise<Mail[]> {
  return db
    .selectFrom('mails')
    .select(COLUMNS)
    .$if(userId !== undefined, (query) => query.where('user_id', '=', userId as string))
    .$if(paymentId !== undefined, (query) => query.where('payment_id', '=', paymentId as string))
    .$if(state !== undefined, (query) => query.where('state', '=', state as MailState))
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId as string))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

/** Deletes at most `limit` mails that were recorded before `time`, the oldest first. Returns their number. */
export async function deleteMailsBefore(db: Kysely<Database>, time: Date, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('mails')
    .where('id', 'in', (query) =>
      query
        .selectFrom('mails')
        .select('id')
        .where('id', '<', idAt('mail', time))
        .orderBy('id')
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}
