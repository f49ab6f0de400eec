/** The public keys of API clients: which are accepted, and the algorithms that each may sign with. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { Violation } from '@payflowx/chassis/errors';
import { type AuthError, invalid } from './errors.ts';

/** A public key as RFC 7517 writes it, with no other members than these. */
export type ClientJwk =
  | { kty: 'EC'; crv: 'P-256'; x: string; y: string }
  | { kty: 'OKP'; crv: 'Ed25519'; x: string }
  | { kty: 'RSA'; n: string; e: string };

export interface ClientKey {
  kid: string;
  jwk: ClientJwk;
  createdAt: Date;
}

export const CLIENT_KEYS_MAX = 5;

const KID = /^[A-Za-z0-9._~-]{1,128}$/;
/** Shorter moduli can be factored. Longer ones only cost time. */
const RSA_BITS = { min: 2048, max: 4096 };

/** RFC 7518 and RFC 8037. The algorithm follows from the key, never from the assertion alone. */
export function algorithmsOf({ kty }: ClientJwk): readonly string[] {
  switch (kty) {
    case 'EC':
      return ['ES256'];
    case 'OKP':
      return ['EdDSA', 'Ed25519'];
    case 'RSA':
      return ['PS256', 'RS256'];
  }
}

/** Reads a JWK. Without a `kid`, its thumbprint (RFC 7638) is the id. Throws INVALID_ARGUMENT. */
export function readClientKey(text: string): Omit<ClientKey, 'createdAt'> {
  const given = parse(text);
  if (PRIVATE_MEMBERS.some((member) => member in given)) {
    throw refusedKey(
      'has private members: send only the public key, and replace this one, which is no longer secret',
    );
  }
  const jwk = publicMembers(given);
  requireUsableKey(jwk, given);
  const kid = given.kid ?? thumbprintOf(jwk);
  if (typeof kid !== 'string' || !KID.test(kid)) {
    throw refusedKey(
      'needs a kid of 1 to 128 letters, digits, dots, dashes, underscores and tildes, or none',
    );
  }
  return { kid, jwk };
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Not JSON.
  }
  throw refusedKey('must be a JSON Web Key (RFC 7517)');
}

function publicMembers({ kty, crv, x, y, n, e }: Record<string, unknown>): ClientJwk {
  if (kty === 'EC' && crv === 'P-256' && isText(x) && isText(y)) return { kty, crv, x, y };
  if (kty === 'OKP' && crv === 'Ed25519' && isText(x)) return { kty, crv, x };
  if (kty === 'RSA' && isText(n) && isText(e)) return { kty, n, e };
  throw refusedKey('must be a public key of type EC with P-256, OKP with Ed25519, or RSA');
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function requireUsableKey(jwk: ClientJwk, { use, alg }: Record<string, unknown>): void {
  const key = openClientKey(jwk);
  if (jwk.kty === 'RSA') {
    const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
    if (modulusLength < RSA_BITS.min || modulusLength > RSA_BITS.max || publicExponent !== 65_537n) {
      throw refusedKey(`of type RSA needs ${RSA_BITS.min} to ${RSA_BITS.max} bits and the exponent 65537`);
    }
  }
  if (use !== undefined && use !== 'sig') throw refusedKey('must be for signatures: its use is another');
  if (alg !== undefined && !algorithmsOf(jwk).includes(String(alg))) {
    throw refusedKey(`has an alg that does not fit: possible are ${algorithmsOf(jwk).join(', ')}`);
  }
}

/** Throws INVALID_ARGUMENT if the numbers are no key, such as a point that is not on the curve. */
export function openClientKey(jwk: ClientJwk): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw refusedKey('is not a valid key of its type');
  }
}

/** RFC 7638: SHA-256 of the required members in alphabetical order. */
function thumbprintOf(jwk: ClientJwk): string {
  const members = Object.entries(jwk).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest('base64url');
}

function refusedKey(description: string): AuthError {
  const violation: Violation = { field: 'public_jwk', description };
  return invalid([violation]);
}

export function isSameKey(left: ClientJwk, right: ClientJwk): boolean {
  return thumbprintOf(left) === thumbprintOf(right);
}
