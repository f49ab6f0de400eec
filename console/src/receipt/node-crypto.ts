/** The one function of node:crypto that the verifier of receipts uses, for browsers. */
import { sha256 } from '@noble/hashes/sha2.js';
import { Buffer } from './buffer.ts';

export function createHash(algorithm: string) {
  if (algorithm !== 'sha256') throw new Error(`${algorithm} is not available.`);
  const hash = sha256.create();
  return {
    update(bytes: Uint8Array) {
      hash.update(bytes);
      return this;
    },
    digest: () => Buffer.from(hash.digest()),
  };
}
