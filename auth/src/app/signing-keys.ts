/** The key that signs now, and all keys that a valid token may name. */
import type { KeyObject } from 'node:crypto';
import type { Kysely } from 'kysely';
import { oldestUsefulRetirement } from '../domain/access-token.ts';
import { makeSigningKey, openSigningKey, type PublicJwk, toJwk } from '../domain/signing-key.ts';
import type { Database } from '../store/database.ts';
import { findActiveSigningKey, insertFirstSigningKey, listPublicKeys } from '../store/signing-keys.ts';

export interface ActiveSigningKey {
  kid: string;
  privateKey: KeyObject;
}

interface KeyDeps {
  db: Kysely<Database>;
  now(): Date;
}

/** Opens the active key; on a fresh database makes it first. Throws SealError if the sealing key is not the right one. */
export async function openActiveSigningKey(
  { db, now }: KeyDeps,
  sealingKey: Buffer,
): Promise<ActiveSigningKey> {
  let key = await findActiveSigningKey(db);
  if (!key) {
    await insertFirstSigningKey(db, makeSigningKey(sealingKey), now());
    // Not necessarily the one just made: another instance may have been first.
    key = await findActiveSigningKey(db);
  }
  if (!key) throw new Error('There is no active signing key right after one was stored.');
  return { kid: key.kid, privateKey: openSigningKey(key, sealingKey) };
}

export async function publicJwks({ db, now }: KeyDeps): Promise<PublicJwk[]> {
  const keys = await listPublicKeys(db, oldestUsefulRetirement(now()));
  return keys.map(toJwk);
}
