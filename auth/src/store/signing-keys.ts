/** Signing keys, sealed. */
import type { Kysely } from 'kysely';
import type { SealedSigningKey } from '../domain/signing-key.ts';
import type { Database } from './database.ts';

export async function findActiveSigningKey(db: Kysely<Database>): Promise<SealedSigningKey | undefined> {
  const row = await db
    .selectFrom('signing_keys')
    .select(['kid', 'public_key', 'sealed_private_key'])
    .where('state', '=', 'active')
    .executeTakeFirst();
  return row && { kid: row.kid, publicKey: row.public_key, sealedPrivateKey: row.sealed_private_key };
}

/** Makes the key the active one unless there is one. Of several instances that try at once, one succeeds. */
export async function insertFirstSigningKey(
  db: Kysely<Database>,
  key: SealedSigningKey,
  now: Date,
): Promise<void> {
  await db
    .insertInto('signing_keys')
    .values({
      kid: key.kid,
      state: 'active',
      public_key: key.publicKey,
      sealed_private_key: key.sealedPrivateKey,
      created_at: now,
      activated_at: now,
    })
    // Without a target: a second active key conflicts on the index of active keys.
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The keys that sign, that will, and those that were retired after `retiredAfter`; oldest first. */
export async function listPublicKeys(
  db: Kysely<Database>,
  retiredAfter: Date,
): Promise<{ kid: string; publicKey: Buffer }[]> {
  const rows = await db
    .selectFrom('signing_keys')
    .select(['kid', 'public_key'])
    .where((where) => where.or([where('retired_at', 'is', null), where('retired_at', '>', retiredAfter)]))
    .orderBy('created_at')
    .orderBy('kid')
    .execute();
  return rows.map((row) => ({ kid: row.kid, publicKey: row.public_key }));
}
