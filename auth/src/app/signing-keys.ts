/** Reads the active signing key, and the public keys of all valid tokens. */

import type { KeyObject } from 'node:crypto';
import type { Keys } from '@payflowx/chassis';
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
 * Returns the active key, read from the database each time, so that after a rotation all instances sign with the new key at once.
 * Creates the first key of an empty database. Throws SealError if the sealing key is wrong.
 */
export function activeSigningKey({ db, now }: KeyDeps, sealingKey: Keys): () => Promise<ActiveSigningKey> {
  let opened: ActiveSigningKey | undefined;
  return async () => {
    const key = (await findActiveSigningKey(db)) ?? (await makeFirst({ db, now }, sealingKey));
    if (opened?.kid !== key.kid) opened = { kid: key.kid, privateKey: openSigningKey(key, sealingKey) };
    return opened;
  };
}

async function makeFirst({ db, now }: KeyDeps, sealingKey: Keys) {
  await insertFirstSigningKey(db, makeSigningKey(sealingKey), now());
  // Not always the key just made: another instance may have been first.
  const key = await findActiveSigningKey(db);
  if (!key) throw new Error('No active signing key was found right after one was stored.');
  return key;
}

export async function publicJwks({ db, now }: KeyDeps): Promise<PublicJwk[]> {
  const keys = await listPublicKeys(db, oldestUsefulRetirement(now()));
  return keys.map(toJwk);
}
