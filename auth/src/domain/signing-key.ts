/** Creates signing keys, seals them for storage, opens them, and converts them to public JWKs. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

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
        'Start with the sealing key that the database was first started with. If it is lost, delete the row from signing_keys: ' +
        'a new key is created, and all access tokens issued so far are refused.',
    );
  }
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function makeSigningKey(sealingKey: Buffer): SealedSigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const kid = thumbprint(raw);
  const der = privateKey.export({ format: 'der', type: 'pkcs8' });
  return { kid, publicKey: raw, sealedPrivateKey: seal(der, kid, sealingKey) };
}

/** Throws SealError. */
export function openSigningKey({ kid, sealedPrivateKey }: SealedSigningKey, sealingKey: Buffer): KeyObject {
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

/** The kid is authenticated too, so that a sealed key cannot be moved to the row of another key. */
function seal(plain: Buffer, kid: string, sealingKey: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, sealingKey, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(kid));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
}

function unseal(sealed: Buffer, kid: string, sealingKey: Buffer): Buffer {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv(CIPHER, sealingKey, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(kid)).setAuthTag(tag);
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
}

/** RFC 7638: SHA-256 of the required members in alphabetical order. */
export function thumbprint(publicKey: Buffer): string {
  const members = JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x: publicKey.toString('base64url') });
  return createHash('sha256').update(members).digest('base64url');
}
