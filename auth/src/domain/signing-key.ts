/** Creates signing keys, seals them for storage, opens them, and converts them to public JWKs. */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Keys } from '@payflowx/chassis';
import { seal, unseal } from '@payflowx/chassis/sealing';

export interface SealedSigningKey {
  kid: string;
  /** The 32 bytes of RFC 8032. */
  publicKey: Buffer;
  sealedPrivateKey: Buffer;
}

/** A public key as RFC 8037 writes it. */
export interface PublicJwk {
  kid: string;
  kty: 'OKP';
  crv: 'Ed25519';
  x: string;
  alg: 'EdDSA';
  use: 'sig';
}

/** Thrown if the signing key was sealed with another sealing key, or the stored bytes were changed. */
export class SealError extends Error {
  override readonly name = 'SealError';
  constructor(kid: string) {
    super(
      `AUTH_SEALING_KEY does not open the signing key ${kid} in the database. ` +
        'Add the key that it was sealed with to the setting, after a comma. If it is lost, delete the row from signing_keys: ' +
        'a new key is created, and all access tokens issued so far are refused.',
    );
  }
}

export function makeSigningKey(sealingKey: Keys): SealedSigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const kid = thumbprint(raw);
  const der = privateKey.export({ format: 'der', type: 'pkcs8' });
  return { kid, publicKey: raw, sealedPrivateKey: seal(der, kid, sealingKey) };
}

/** Throws SealError. */
export function openSigningKey({ kid, sealedPrivateKey }: SealedSigningKey, sealingKey: Keys): KeyObject {
  try {
    const der = unseal(sealedPrivateKey, kid, sealingKey);
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch {
    throw new SealError(kid);
  }
}

export function toJwk({ kid, publicKey }: { kid: string; publicKey: Buffer }): PublicJwk {
  return { kid, kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url'), alg: 'EdDSA', use: 'sig' };
}

/** RFC 7638: SHA-256 of the required members in alphabetical order. */
export function thumbprint(publicKey: Buffer): string {
  const members = JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x: publicKey.toString('base64url') });
  return createHash('sha256').update(members).digest('base64url');
}
