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

/**
 * The key to sign with, looked up each time: whichever instance lets a new one take over, all sign with it from then on. On a
 * fresh database it is made first. Throws SealError if the sealing key is not the right one.
 */
export function activeSigningKey({ db, now }: KeyDeps, sealingKey: Buffer): () => Promise<ActiveSigningKey> {
  let opened: ActiveSigningKey | undefined;
  return async () => {
    const key = (await findActiveSigningKey(db)) ?? (await makeFirst({ db, now }, sealingKey));
    if (opened?.kid !== key.kid) opened = { kid: key.kid, privateKey: openSigningKey(key, sealingKey) };
    return opened;
  };
}

async function makeFirst({ db, now }: KeyDeps, sealingKey: Buffer) {
  await insertFirstSigningKey(db, makeSigningKey(sealingKey), now());
  // Not necessarily the one just made: another instance may have been first.
  const key = await findActiveSigningKey(db);
  if (!key) throw new Error('There is no active signing key right after one was stored.');
  return key;
}

export async function publicJwks({ db, now }: KeyDeps): Promise<PublicJwk[]> {
  const keys = await listPublicKeys(db, oldestUsefulRetirement(now()));
  return keys.map(toJwk);
}
