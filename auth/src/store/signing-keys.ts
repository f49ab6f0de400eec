/** Reads and writes the sealed signing keys. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { KeyStates } from '../domain/key-rotation.ts';
import type { SealedSigningKey } from '../domain/signing-key.ts';
import type { Database } from './database.ts';

export async function findActiveSigningKey(db: Kysely<Database>): Promise<SealedSigningKey | undefined> {
  const row = await db
    .selectFrom('signing_keys')
    .select(['kid', 'public_key', 'sealed_private_key'])
    .where('state', '=', 'active')
    .executeTakeFirst();
  if (!row?.sealed_private_key) return undefined;
  return { kid: row.kid, publicKey: row.public_key, sealedPrivateKey: row.sealed_private_key };
}

/** Inserts the key as the active one unless there is one. Of several concurrent instances one succeeds. */
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
    // Without a conflict target: a second active key conflicts on the index of active keys.
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Locks the states of all keys until the end of the transaction. One instance changes them at a time. */
export async function lockSigningKeys(trx: Transaction<Database>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('auth.signing_keys'))`.execute(trx);
}

export async function findKeyStates(db: Kysely<Database>): Promise<KeyStates> {
  const rows = await db
    .selectFrom('signing_keys')
    .select(['kid', 'activated_at', 'activates_at'])
    .where('state', 'in', ['active', 'next'])
    .execute();
  const active = rows.flatMap(({ kid, activated_at: activatedAt }) =>
    activatedAt ? [{ kid, activatedAt }] : [],
  )[0];
  const next = rows.flatMap((row) =>
    row.activated_at === null && row.activates_at ? [{ kid: row.kid, activatesAt: row.activates_at }] : [],
  )[0];
  if (!active) throw new Error('There is no active signing key.');
  return { active, next };
}

export async function insertNextSigningKey(
  trx: Transaction<Database>,
  key: SealedSigningKey,
  { now, activatesAt }: { now: Date; activatesAt: Date },
): Promise<void> {
  await trx
    .insertInto('signing_keys')
    .values({
      kid: key.kid,
      state: 'next',
      public_key: key.publicKey,
      sealed_private_key: key.sealedPrivateKey,
      created_at: now,
      activates_at: activatesAt,
    })
    .execute();
}

/** Activates the announced key, retires the active one and deletes its private half. */
export async function activateNextSigningKey(trx: Transaction<Database>, now: Date): Promise<void> {
  await trx
    .updateTable('signing_keys')
    .set({ state: 'retired', retired_at: now, sealed_private_key: null })
    .where('state', '=', 'active')
    .execute();
  await trx
    .updateTable('signing_keys')
    .set({ state: 'active', activated_at: now })
    .where('state', '=', 'next')
    .execute();
}

/** Returns the active key, the announced key, and the keys retired after `retiredAfter`; oldest first. */
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

/** Sealed private keys in the order of their ids. Retired keys have none. */
export async function listSealedSigningKeys(
  db: Kysely<Database>,
  after: string,
  limit: number,
): Promise<{ id: string; sealed: Buffer }[]> {
  const rows = await db
    .selectFrom('signing_keys')
    .select(['kid as id', 'sealed_private_key as sealed'])
    .where('sealed_private_key', 'is not', null)
    .where('kid', '>', after)
    .orderBy('kid')
    .limit(limit)
    .execute();
  return rows.flatMap(({ id, sealed }) => (sealed ? [{ id, sealed }] : []));
}

/** Changes nothing if the private key is no longer `before`, such as that of a key that has retired. */
export async function replaceSealedSigningKey(
  trx: Transaction<Database>,
  { id, sealed }: { id: string; sealed: Buffer },
  before: { sealed: Buffer },
): Promise<void> {
  await trx
    .updateTable('signing_keys')
    .set({ sealed_private_key: sealed })
    .where('kid', '=', id)
    .where('sealed_private_key', '=', before.sealed)
    .execute();
}
