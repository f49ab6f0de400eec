import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { algorithmsOf, type ClientJwk, isSameKey, openClientKey, readClientKey } from './client-key.ts';

const jwkOf = (key: KeyObject) => key.export({ format: 'jwk' }) as unknown as ClientJwk;
const ec = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
const ed25519 = jwkOf(generateKeyPairSync('ed25519').publicKey);
/** Nothing is signed with it here, so its modulus need not be a product of two primes. */
const rsaOf = (bits: number, e = 'AQAB') =>
  ({ kty: 'RSA', n: Buffer.alloc(bits / 8, 0xff).toString('base64url'), e }) as const;
const rsa = rsaOf(2048);

const read = (jwk: object, more: object = {}) => readClientKey(JSON.stringify({ ...jwk, ...more }));

/** RFC 7638, 3.1. */
const RFC_7638 = {
  kty: 'RSA',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
};

describe('a public key', () => {
  it.each<[string, ClientJwk, string[]]>([
    ['P-256', ec, ['ES256']],
    ['Ed25519', ed25519, ['EdDSA', 'Ed25519']],
    ['RSA', rsa, ['PS256', 'RS256']],
  ])('of %s has its own algorithms, and may name one of them', (_, jwk, algorithms) => {
    expect(algorithmsOf(jwk)).toEqual(algorithms);
    for (const alg of algorithms)
      expect(read(jwk, { alg, use: 'sig', kid: 'k1' })).toEqual({ jwk, kid: 'k1' });
    expect(openClientKey(jwk).export({ format: 'jwk' })).toEqual(jwk);
  });

  it('has the thumbprint of RFC 7638 as its id, if it brings none', () => {
    const { kid, jwk } = read(RFC_7638, { alg: 'RS256', x5t: 'ignored' });
    expect(kid).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
    expect(jwk).toEqual(RFC_7638);
  });

  it('may have an id of any 128 letters, digits and marks', () => {
    const kid = `${'k'.repeat(124)}._~-`;
    expect(read(ec, { kid }).kid).toBe(kid);
  });

  it('of RSA has 2048 to 4096 bits', () => {
    expect(read(rsaOf(4096)).jwk.kty).toBe('RSA');
  });

  it('is the same whatever the order of its members', () => {
    const { n, e } = RFC_7638;
    const left = { kty: 'RSA', n, e } as const;
    expect(isSameKey(left, { e, n, kty: 'RSA' })).toBe(true);
    expect(isSameKey(left, rsa)).toBe(false);
  });
});

describe('a key is refused', () => {
  const TYPE = 'must be a public key of type EC with P-256, OKP with Ed25519, or RSA';
  const PRIVATE =
    'has private members: send only the public key, and replace this one, which is no longer secret';
  const INVALID = 'is not a valid key of its type';
  const RSA = 'of type RSA needs 2048 to 4096 bits and the exponent 65537';
  const KID = 'needs a kid of 1 to 128 letters, digits, dots, dashes, underscores and tildes, or none';
  const alg = (possible: string) => `has an alg that does not fit: possible are ${possible}`;
  const { n, e } = RFC_7638;
  it.each<[string, object]>([
    ...['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].map((member): [string, object] => [
      PRIVATE,
      { ...ec, [member]: 'x' },
    ]),
    [TYPE, { ...ec, crv: 'P-384' }],
    [TYPE, { ...ec, kty: 'oct' }],
    [TYPE, { ...ec, x: 7 }],
    [TYPE, { ...ec, y: undefined }],
    [TYPE, { ...ed25519, crv: 'X25519' }],
    [TYPE, { ...ed25519, kty: 'EC' }],
    [TYPE, { ...ed25519, x: undefined }],
    [TYPE, { kty: 'RSA', n, e: 7 }],
    [TYPE, { kty: 'RSA', e }],
    [TYPE, { kty: 'OCT', n, e }],
    [INVALID, { ...ec, y: 'AAAA' }],
    [RSA, rsaOf(1024)],
    [RSA, rsaOf(4104)],
    [RSA, rsaOf(2048, 'Aw')],
    ['must be for signatures: its use is another', { ...ec, use: 'enc' }],
    [alg('ES256'), { ...ec, alg: 'ES384' }],
    [alg('EdDSA, Ed25519'), { ...ed25519, alg: 'ES256' }],
    [alg('PS256, RS256'), { ...rsa, alg: 'RS512' }],
    [KID, { ...ec, kid: '' }],
    [KID, { ...ec, kid: 7 }],
    [KID, { ...ec, kid: 'a/b' }],
    [KID, { ...ec, kid: 'k'.repeat(129) }],
  ])('because it %s', (description, jwk) => {
    expect(() => read(jwk)).toThrow(
      expect.objectContaining({
        reason: 'INVALID_ARGUMENT',
        violations: [{ field: 'public_jwk', description }],
      }),
    );
  });

  it.each(['', 'PEM', '[]', 'null', '"key"', '7'])('because it is no JWK: %s', (text) => {
    expect(() => readClientKey(text)).toThrow('public_jwk must be a JSON Web Key (RFC 7517).');
  });
});
