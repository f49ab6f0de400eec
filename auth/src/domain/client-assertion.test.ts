import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readAssertion } from './client-assertion.ts';

const nowS = Date.UTC(2026, 0, 1) / 1000;
const audiences = ['https://pay.example', 'https://pay.example/v1/auth/token'];
const HEADER = { alg: 'ES256', kid: 'k1' };
const CLAIMS = {
  ...{ iss: 'cli_1', sub: 'cli_1', aud: audiences[0], jti: 'once' },
  ...{ iat: nowS, exp: nowS + 60 },
};

const part = (members: object) => Buffer.from(JSON.stringify(members)).toString('base64url');
/** Not signed: the signature is verified afterwards, with the key that the assertion names. */
const textOf = (header: object, claims: object) => `${part(header)}.${part(claims)}.c2ln`;
const read = (changed: { header?: object; claims?: object }, request: object = {}) =>
  readAssertion(textOf({ ...HEADER, ...changed.header }, { ...CLAIMS, ...changed.claims }), {
    ...{ clientId: '', audiences, now: new Date(nowS * 1000) },
    ...request,
  });

it('is read with its client, its key, and the time until which a copy of it could be used', () => {
  expect(read({})).toEqual({
    text: textOf(HEADER, CLAIMS),
    clientId: 'cli_1',
    alg: 'ES256',
    kid: 'k1',
    jtiHash: createHash('sha256').update('once').digest(),
    uselessAt: new Date((nowS + 120) * 1000),
  });
  expect(read({ header: { kid: undefined } }).kid).toBeUndefined();
});

describe('an assertion is accepted', () => {
  it.each<[string, { header?: object; claims?: object }, object?]>([
    ['with the type of a JWT in any case', { header: { typ: 'JWT' } }],
    ['with its own type', { header: { typ: 'client-authentication+jwt' } }],
    ['beside its client_id', {}, { clientId: 'cli_1' }],
    ['for the token endpoint', { claims: { aud: audiences[1] } }],
    ['for both names of the platform', { claims: { aud: audiences } }],
    ['with a jti of 256 characters', { claims: { jti: 'j'.repeat(256) } }],
    ['one minute after its end', { claims: { exp: nowS - 59 } }],
    ['one minute before its beginning', { claims: { iat: nowS + 60, nbf: nowS + 60, exp: nowS + 120 } }],
    ['with a life of five minutes, and a minute for the clocks', { claims: { exp: nowS + 360 } }],
    ['with a life that began earlier', { claims: { iat: nowS - 300, exp: nowS + 60 } }],
  ])('%s', (_, changed, request) => {
    expect(read(changed, request).clientId).toBe('cli_1');
  });
});

describe('an assertion is refused', () => {
  const SUBJECT = 'needs the id of the client as iss and as sub';
  const JTI = 'needs a jti of 1 to 256 characters, another one each time';
  const AUDIENCE = `needs the aud ${audiences.join(' or ')}, and no other`;
  const TIMES = 'needs the times iat and exp';
  const TOO_LONG = 'is valid for too long: at most 300 s are possible';
  const FUTURE = 'begins in the future';
  it.each<[string, { header?: object; claims?: object }, object?]>([
    ['has a type that is not that of an assertion', { header: { typ: 'at+jwt' } }],
    ['has no alg', { header: { alg: 7 } }],
    ['has a kid that is no text', { header: { kid: 7 } }],
    [SUBJECT, { claims: { iss: 7, sub: 7 } }],
    [SUBJECT, { claims: { sub: 'cli_2' } }],
    ['is of another client than client_id', {}, { clientId: 'cli_2' }],
    ['cannot be accepted: this platform has no PUBLIC_URL', {}, { audiences: [] }],
    [AUDIENCE, { claims: { aud: undefined } }],
    [AUDIENCE, { claims: { aud: [] } }],
    [AUDIENCE, { claims: { aud: [...audiences, 'https://evil.example'] } }],
    [AUDIENCE, { claims: { aud: [7] } }],
    [JTI, { claims: { jti: 7 } }],
    [JTI, { claims: { jti: '' } }],
    [JTI, { claims: { jti: 'j'.repeat(257) } }],
    [TIMES, { claims: { exp: '2026' } }],
    [TIMES, { claims: { iat: undefined } }],
    ['has expired', { claims: { iat: nowS - 100, exp: nowS - 60 } }],
    [TOO_LONG, { claims: { iat: nowS + 60, exp: nowS + 361 } }],
    [TOO_LONG, { claims: { iat: nowS - 301, exp: nowS + 60 } }],
    [FUTURE, { claims: { iat: nowS + 61, exp: nowS + 120 } }],
    [FUTURE, { claims: { nbf: nowS + 61 } }],
    [FUTURE, { claims: { nbf: 'later' } }],
  ])('that %s: %j', (problem, changed, request) => {
    expect(() => read(changed, request)).toThrow(
      expect.objectContaining({
        reason: 'INVALID_CLIENT_ASSERTION',
        message: `The client assertion ${problem}.`,
      }),
    );
  });

  it.each(['', 'no jwt', 'a.b.c', `${part(HEADER)}.W10.c2ln`])('that is no JWT: %j', (text) => {
    const request = { clientId: '', audiences, now: new Date(nowS * 1000) };
    expect(() => readAssertion(text, request)).toThrow('The client assertion is not a signed JWT.');
  });
});
