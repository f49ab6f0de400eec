import { createPublicKey } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { createTokenVerifier } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { Role } from '@payflowx/proto/auth';
import { createDecoder, createSigner } from 'fast-jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthWithUsers, PASSWORD, refusal, startAuth, startAuthWithUsers } from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
let auth: AuthWithUsers;

beforeAll(async () => {
  auth = await startAuthWithUsers();
});
afterAll(() => auth?.stop());

async function login(username: string, password = PASSWORD) {
  const { tokens } = await auth.client.login({ username, password }, { deadlineMs });
  if (!tokens) throw new Error('A login without tokens.');
  return tokens;
}

/** Verifies a token as any other service does, with the keys that auth publishes. */
function anotherService() {
  return createTokenVerifier({ jwks: async () => (await auth.client.getJwks({}, { deadlineMs })).keys });
}

describe('a login', () => {
  it('returns a token pair, whatever the case of the name', async () => {
    const tokens = await login('CUSTOMER');
    expect(tokens).toMatchObject({ tokenType: 'Bearer', expiresIn: 300 });
    const { user } = await auth.client.getMe({}, { deadlineMs, accessToken: tokens.accessToken });
    expect(user).toMatchObject({ username: 'customer', roles: [Role.CUSTOMER] });
    expect(user?.id).toMatch(/^usr_/);
  });

  it('returns the same error for an unknown name, an invalid name and a wrong password', async () => {
    const wrong = await refusal(login('customer', 'not the password'));
    expect(wrong).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'INVALID_CREDENTIALS' });
    expect(await refusal(login('nobody'))).toEqual(wrong);
    expect(await refusal(login('no body'))).toEqual(wrong);
    expect(await refusal(login(''))).toEqual(wrong);
  });

  it('compares one password for an unknown name and for an invalid one too, so that its time tells nothing', async () => {
    let address = 0;
    const compared = async (username: string) => {
      // Each login has a new client address, as the gateway sends it, so that no delay applies.
      address += 1;
      const request = { username, password: 'not the password', clientAddress: `192.0.2.${address}` };
      const before = auth.hashes();
      await refusal(auth.gateway.login(request, { deadlineMs }));
      return auth.hashes() - before;
    };
    for (const username of ['customer', 'nobody', 'no body']) expect(await compared(username)).toBe(1);
  });

  it('refuses a password that is too long', async () => {
    expect(await refusal(login('customer', 'x'.repeat(257)))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'INVALID_ARGUMENT',
    });
  });

  it('gets TOO_MANY_LOGINS when too many hashes are in progress', async () => {
    const narrow = await startAuth(auth.database, { hashing: { concurrency: 1, queueMax: 2 } });
    const burst = Array.from({ length: 20 }, () =>
      narrow.client.login({ username: 'customer', password: PASSWORD }, { deadlineMs }),
    );
    const results = await Promise.allSettled(burst);
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(20);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: 'TOO_MANY_LOGINS' });
      expect(reason.retryAfterMs).toBeGreaterThan(0);
    }
    // The burst is over: the next login succeeds.
    await narrow.client.login({ username: 'customer', password: PASSWORD }, { deadlineMs });
    await narrow.stop();
  });
});

describe('an access token', () => {
  it('has the claims of RFC 9068', async () => {
    const { accessToken } = await login('auditor');
    const { header, payload } = createDecoder({ complete: true })(accessToken);
    const { keys } = await auth.client.getJwks({}, { deadlineMs });
    expect(header).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: keys[0]?.kid });
    expect(payload).toMatchObject({ iss: 'payflowx', aud: 'payflowx', roles: ['auditor'] });
    expect(payload.sub).toMatch(/^usr_/);
    expect(payload.jti).toBeTruthy();
    expect(payload.exp - payload.iat).toBe(300);
  });

  it('verifies at other services with only the published keys', async () => {
    const { accessToken } = await login('operator');
    const caller = await anotherService().verify(accessToken);
    expect(caller.roles).toEqual(['operator']);
  });

  const listUsers = (accessToken: string) =>
    auth.client.listUsers({ pageSize: 0, pageToken: '' }, { deadlineMs, accessToken });
  const claims = () => ({
    iss: 'payflowx',
    aud: 'payflowx',
    sub: 'usr_1',
    roles: ['operator'],
    exp: Math.floor(Date.now() / 1000) + 300,
  });
  const signOurselves = (changed: object, header: object) => {
    const { kid, privateKey } = auth.signingKey;
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' });
    const headers = { alg: 'EdDSA', typ: 'at+jwt', kid, ...header };
    return createSigner({ algorithm: 'EdDSA', key, header: headers })({ ...claims(), ...changed });
  };

  it('is accepted if it has the form of those of auth', async () => {
    await listUsers(signOurselves({}, {}));
  });

  it.each([
    ['another audience', { aud: 'elsewhere' }, {}],
    ['another issuer', { iss: 'elsewhere' }, {}],
    ['another type', {}, { typ: 'JWT' }],
    ['another key id', {}, { kid: 'elsewhere' }],
    ['an expiry in the past', { exp: 1_000 }, {}],
  ])('is refused with %s, even with a valid signature', async (_, changed, header) => {
    const refused = await refusal(listUsers(signOurselves(changed, header)));
    expect(refused).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'UNAUTHENTICATED' });
  });

  it('is refused without a signature, or signed with a secret made of the public key', async () => {
    const { kid } = auth.signingKey;
    const unsigned = createSigner({ algorithm: 'none', header: { alg: 'none', typ: 'at+jwt', kid } });
    const { keys } = await auth.client.getJwks({}, { deadlineMs });
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: keys[0]?.x ?? '' };
    const key = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' });
    const header = { alg: 'HS256', typ: 'at+jwt', kid };
    const confused = createSigner({ algorithm: 'HS256', key: key.toString('base64'), header });
    for (const token of [unsigned(claims()), confused(claims()), 'not.a.token']) {
      expect(await refusal(listUsers(token))).toMatchObject({ code: status.UNAUTHENTICATED });
    }
  });
});
