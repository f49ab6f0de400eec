/** Reads and writes the links that confirm addresses. */
import type { Kysely, Transaction } from 'kysely';
import type { EmailConfirmation } from '../domain/email-confirmation.ts';
import type { Database } from './database.ts';

export async function insertConfirmation(
  trx: Transaction<Database>,
  confirmation: EmailConfirmation,
): Promise<void> {
  await trx
    .insertInto('email_confirmations')
    .values({
      id: confirmation.id,
      user_id: confirmation.userId,
      email: confirmation.email,
      token_hash: confirmation.tokenHash,
      requested_at: confirmation.requestedAt,
      expires_at: confirmation.expiresAt,
    })
    .execute();
}

/** Undefined if it is unknown, used or expired. */
export async function findConfirmation(
  db: Kysely<Database>,
  by: { id: string } | { tokenHash: Buffer },
  now: Date,
): Promise<EmailConfirmation | undefined> {
  const row = await db
    .selectFrom('email_confirmations')
    .select(['id', 'user_id', 'email', 'token_hash', 'requested_at', 'expires_at'])
    .$if('id' in by, (query) => query.where('id', '=', 'id' in by ? by.id : ''))
    .$if('tokenHash' in by, (query) =>
      query.where('token_hash', '=', 'tokenHash' in by ? by.tokenHash : Buffer.of()),
    )
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return (
    row && {
      ...{ id: row.id, userId: row.user_id, email: row.email, tokenHash: row.token_hash },
      ...{ requestedAt: row.requested_at, expiresAt: row.expires_at },
    }
  );
}

/** The times of a user's requests since then, the oldest first. */
export async function requestTimesSince(
  trx: Transaction<Database>,
  userId: string,
  since: Date,
): Promise<Date[]> {
  const rows = await trx
    .selectFrom('email_confirmations')
    .select('requested_at')
    .where('user_id', '=', userId)
    .where('requested_at', '>', since)
    .orderBy('requested_at')
    .execute();
  return rows.map((row) => row.requested_at);
}

export async function deleteConfirmationsOf(trx: Transaction<Database>, userId: string): Promise<void> {
  await trx.deleteFrom('email_confirmations').where('user_id', '=', userId).execute();
}

export async function deleteExpiredConfirmations(db: Kysely<Database>, now: Date): Promise<void> {
  await db.deleteFrom('email_confirmations').where('expires_at', '<=', now).execute();
}
