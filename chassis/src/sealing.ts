/**
 * Encrypts secrets for the database, and page tokens, with AES-256-GCM, under keys that are only in the configuration. Pure, so that a service's domain may
 * use it.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { firstKey, type Keys, listKeys } from './keys.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A sealed secret has this many bytes more than the plain one. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;

/**
 * Seals with the first key. The id of the row is authenticated too, so that a sealed secret cannot be moved to another row.
 */
export function seal(plain: Buffer | string, rowId: string, keys: Keys): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, firstKey(keys), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(rowId));
  const ciphertext = Buffer.concat([cipher.update(Buffer.from(plain)), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
}

/** Opens with any of the keys. Throws if all keys, or the row, are others. */
export function unseal(sealed: Buffer, rowId: string, keys: Keys): Buffer {
  let failure: unknown;
  for (const key of listKeys(keys)) {
    try {
      return unsealWith(key, sealed, rowId);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Returns the same secret, sealed with the first key. Undefined if it is already. Throws as `unseal`. */
export function resealed(sealed: Buffer, rowId: string, keys: Keys): Buffer | undefined {
  const [first, ...others] = listKeys(keys);
  if (!first || opens(first, sealed, rowId)) return undefined;
  return seal(unseal(sealed, rowId, others), rowId, first);
}

function opens(key: Buffer, sealed: Buffer, rowId: string): boolean {
  try {
    unsealWith(key, sealed, rowId);
    return true;
  } catch {
    return false;
  }
}

function unsealWith(key: Buffer, sealed: Buffer, rowId: string): Buffer {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(rowId)).setAuthTag(tag);
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
}
