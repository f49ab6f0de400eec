/** Reads and writes the public halves of passkeys, and the registrations that wait for a browser. */
import type { Kysely, Transaction } from 'kysely';
import type { Passkey } from '../domain/passkey.ts';
import type { Database } from './database.ts';

/** All confirmed passkeys of a user, the oldest first. */
export async function listPasskeys(db: Kysely<Database>, userId: string): Promise<Passkey[]> {
  const rows = await db
    .selectFrom('passkeys')
    .innerJoin('second_factors', 'second_factors.id', 'passkeys.factor_id')
    .selectAll('passkeys')
    .where('second_factors.user_id', '=', userId)
    .orderBy('passkeys.factor_id')
    .execute();
  return rows.map((row) => ({
    factorId: row.factor_id,
    credentialId: row.credential_id.toString('base64url'),
    publicKey: row.public_key,
    signCount: Number(row.sign_count),
    transports: row.transports,
    backupEligible: row.backup_eligible,
    backedUp: row.backed_up,
  }));
}

/** False if a user has a passkey with this id already. */
export async function insertPasskey(trx: Transaction<Database>, passkey: Passkey): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('passkeys')
    .values({
      factor_id: passkey.factorId,
      credential_id: Buffer.from(passkey.credentialId, 'base64url'),
      public_key: passkey.publicKey,
      sign_count: BigInt(passkey.signCount),
      transports: passkey.transports,
      backup_eligible: passkey.backupEligible,
      backed_up: passkey.backedUp,
      last_used_at: null,
    })
    .onConflict((conflict) => conflict.column('credential_id').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Stores a login with the passkey. */
export async function updatePasskey(
  trx: Transaction<Database>,
  factorId: string,
  { signCount, backedUp, usedAt }: Pick<Passkey, 'signCount' | 'backedUp'> & { usedAt: Date },
): Promise<void> {
  await trx
    .updateTable('passkeys')
    .set({ sign_count: BigInt(signCount), backed_up: backedUp, last_used_at: usedAt })
    .where('factor_id', '=', factorId)
    .execute();
}

export async function insertRegistration(
  trx: Transaction<Database>,
  registration: { factorId: string; challengeHash: Buffer; expiresAt: Date },
): Promise<void> {
  await trx
    .insertInto('passkey_registrations')
    .values({
      factor_id: registration.factorId,
      challenge_hash: registration.challengeHash,
      expires_at: registration.expiresAt,
    })
    .execute();
}

/** The hash of the challenge. Undefined if the registration was used or has expired. */
export async function findRegistration(
  db: Kysely<Database>,
  factorId: string,
  now: Date,
): Promise<Buffer | undefined> {
  const row = await db
    .selectFrom('passkey_registrations')
    .select('challenge_hash')
    .where('factor_id', '=', factorId)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row?.challenge_hash;
}

export async function deleteRegistration(trx: Transaction<Database>, factorId: string): Promise<void> {
  await trx.deleteFrom('passkey_registrations').where('factor_id', '=', factorId).execute();
}

/** Removes the factors too: they cannot be confirmed any more. */
export async function deleteExpiredRegistrations(db: Kysely<Database>, now: Date): Promise<void> {
  await db
    .deleteFrom('second_factors')
    .where('confirmed_at', 'is', null)
    .where('id', 'in', (expired) =>
      expired.selectFrom('passkey_registrations').select('factor_id').where('expires_at', '<=', now),
    )
    .execute();
}
