/**
 * The secrets of webhook endpoints. They must be usable for signing, so they are encrypted and not hashed. The row of a sealed secret is
 * its endpoint.
 */
import { randomBytes } from 'node:crypto';
import type { Keys } from '@payflowx/chassis';
import { unseal } from '@payflowx/chassis/sealing';

/** Standard Webhooks recommends 24 to 64 bytes. */
const SECRET_BYTES = 32;
const PREFIX = 'whsec_';

export function newSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/** Opens with any of the keys. Throws if all keys are others, or if the row was changed. */
export function openSecret(sealed: Buffer, endpointId: string, keys: Keys): string {
  return unseal(sealed, endpointId, keys).toString();
}
