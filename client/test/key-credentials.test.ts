/** Logins of an API client with its key. */
import type { webcrypto } from 'node:crypto';
import { expect, it } from 'vitest';
import { createPayFlowX } from '../src/index.ts';

const AUDIENCE = 'https://pay.example/v1/auth/token';

async function generateKey(algorithm: object): Promise<webcrypto.CryptoKeyPair> {
  const pair = await crypto.subtle.generateKey(algorithm as never, false, ['sign', 'verify']);
  return pair as unknown as webcrypto.CryptoKeyPair;
}

/** A platform that loses the responses to the first logins. */
function platformThatLoses(lost: number) {
  const assertions: string[] = [];
  const fetch = async (url: string, init: RequestInit) => {
    if (!url.endsWith('/v1/auth/token')) return Response.json({ data: [], next_cursor: null });
    const body = JSON.parse(String(init.body));
    expect(body.client_assertion_type).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    assertions.push(body.client_assertion);
    if (assertions.length <= lost) throw new TypeError('fetch failed');
    return Response.json({ access_token: 'a.b.c', token_type: 'Bearer', expires_in: 300, scope: '' });
  };
  return { assertions, fetch };
}

const decoded = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString());

it.each<[string, object, string]>([
  ['P-256', { name: 'ECDSA', namedCurve: 'P-256' }, 'ES256'],
  ['Ed25519', { name: 'Ed25519' }, 'EdDSA'],
  [
    'RSA',
    {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256',
    },
    'RS256',
  ],
])('signs an assertion with %s', async (_, algorithm, alg) => {
  const pair = await generateKey(algorithm);
  const { assertions, fetch } = platformThatLoses(0);
  const as = { clientId: 'cli_1', privateKey: pair.privateKey, keyId: 'k1' };
  await createPayFlowX({ gateway: 'https://pay.example', as, fetch }).get('/v1/accounts');
  const [header, claims, signature] = (assertions[0] ?? '').split('.');
  expect(decoded(header)).toEqual({ alg, typ: 'JWT', kid: 'k1' });
  const now = Math.floor(Date.now() / 1_000);
  const { iat, exp, jti, ...rest } = decoded(claims);
  expect(rest).toEqual({ iss: 'cli_1', sub: 'cli_1', aud: AUDIENCE });
  expect([exp - iat, Math.abs(iat - now) < 60, typeof jti]).toEqual([60, true, 'string']);
  const parameters =
    alg === 'ES256' ? { name: 'ECDSA', hash: 'SHA-256' } : { name: pair.publicKey.algorithm.name };
  const bytes = Buffer.from(`${header}.${claims}`);
  const isValid = crypto.subtle.verify(
    parameters,
    pair.publicKey,
    Buffer.from(signature ?? '', 'base64url'),
    bytes,
  );
  expect(await isValid).toBe(true);
});

it('makes a new assertion for each attempt, because each is accepted once', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
    'verify',
  ]);
  const { assertions, fetch } = platformThatLoses(2);
  const as = { clientId: 'cli_1', privateKey: pair.privateKey, audience: AUDIENCE };
  await createPayFlowX({ gateway: 'http://10.0.0.1', as, fetch }).get('/v1/accounts');
  const ids = assertions.map((assertion) => decoded(assertion.split('.')[1]).jti);
  expect([ids.length, new Set(ids).size]).toEqual([3, 3]);
  expect(decoded(assertions[0]?.split('.')[1]).aud).toBe(AUDIENCE);
});
