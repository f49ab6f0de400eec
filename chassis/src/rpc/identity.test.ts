import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestIdentity } from '../testing/index.ts';
import { ACCESS_TOKEN_LIFETIME_S } from './access-token.ts';
import { createTokenVerifier } from './identity.ts';
import { createKeyStore, KEYS_MAX_AGE_MS } from './key-store.ts';

const START = new Date('2026-01-01T12:00:00.000Z');
const START_S = START.getTime() / 1000;
const unauthenticated = { reason: 'UNAUTHENTICATED' };
const settled = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the store of public keys', () => {
  const [old] = createTestIdentity().jwks;
  const [announced] = createTestIdentity().jwks;
  if (!old || !announced) throw new Error('There are no keys to test with.');
  let published = [old];
  const jwks = vi.fn(async () => published);

  beforeEach(() => {
    published = [old];
    jwks.mockReset().mockImplementation(async () => published);
  });

  it('fetches the keys once for many concurrent requests, and not again while they are young', async () => {
    const { keyOf } = createKeyStore(jwks);
    await Promise.all([keyOf(old.kid), keyOf(old.kid)]);
    vi.advanceTimersByTime(KEYS_MAX_AGE_MS - 1);
    await keyOf(old.kid);
    expect(jwks).toHaveBeenCalledTimes(1);
  });

  it('learns an announced key before a token uses it, and forgets a withdrawn one', async () => {
    const { keyOf, has } = createKeyStore(jwks);
    await keyOf(old.kid);
    published = [announced];
    vi.advanceTimersByTime(KEYS_MAX_AGE_MS + 1);
    await keyOf(old.kid);
    await settled();
    expect(jwks).toHaveBeenCalledTimes(2);
    await keyOf(announced.kid);
    await expect(keyOf(old.kid)).rejects.toMatchObject(unauthenticated);
    expect([has(announced.kid), has(old.kid)]).toEqual([true, false]);
    expect(jwks).toHaveBeenCalledTimes(2);
  });

  it('keeps its keys while auth is unavailable, and does not fetch them at every call', async () => {
    const { keyOf } = createKeyStore(jwks);
    await keyOf(old.kid);
    jwks.mockRejectedValue(new Error('auth is away'));
    vi.advanceTimersByTime(KEYS_MAX_AGE_MS + 1);
    for (let call = 0; call < 5; call += 1) {
      await keyOf(old.kid);
      await settled();
    }
    expect(jwks).toHaveBeenCalledTimes(2);
  });
});

describe('a token', () => {
  const identity = createTestIdentity();
  const caller = { sub: 'usr_1', roles: ['customer'] };
  const newVerifier = () => createTokenVerifier({ jwks: async () => identity.jwks });
  const verify = (token: string) => newVerifier().verify(token);

  const life = (iat: number, exp: number) => ({ iat: START_S + iat, exp: START_S + exp });
  it.each<[string, object, boolean]>([
    ['of the whole life that auth gives', life(0, ACCESS_TOKEN_LIFETIME_S), true],
    ['of a second more', life(0, ACCESS_TOKEN_LIFETIME_S + 1), false],
    ['from an hour ahead', life(3_600, 3_900), false],
    ['from 60 s ahead', life(60, 360), true],
    ['from 61 s ahead', life(61, 361), false],
    ['in its last second', life(-299, 1), true],
    ['at the moment of its end', life(-300, 0), false],
    ['that begins 60 s ahead', { nbf: START_S + 60 }, true],
    ['that begins 61 s ahead', { nbf: START_S + 61 }, false],
    ['with a beginning that is not a number', { nbf: 'now' }, false],
    ['without a beginning', { iat: undefined }, false],
    ['without an end', { exp: undefined }, false],
    ['with an end that is not a number', { exp: 'never' }, false],
    ['with an issue time that is not a number', { iat: '0' }, false],
    ['of another issuer', { iss: 'elsewhere' }, false],
    ['of no issuer', { iss: undefined }, false],
    ['for another audience', { aud: 'elsewhere' }, false],
    ['for no audience', { aud: undefined }, false],
    ['for no subject', { sub: undefined }, false],
  ])('%s: %o is valid: %s', async (_, claims, good) => {
    const verified = verify(await identity.tokenWith({ ...caller, ...claims }));
    if (good) await expect(verified).resolves.toMatchObject({ id: 'usr_1' });
    else await expect(verified).rejects.toMatchObject(unauthenticated);
  });

  it('of another type is refused, even with a signature by the right key', async () => {
    await verify(await identity.tokenWith(caller, {}));
    await expect(verify(await identity.tokenWith(caller, { typ: 'JWT' }))).rejects.toMatchObject(
      unauthenticated,
    );
  });

  it('that was verified before expires on the second, and stays expired when the clock is set back', async () => {
    const verifier = newVerifier();
    const token = await identity.tokenWith(caller);
    await verifier.verify(token);
    vi.setSystemTime(START.getTime() + ACCESS_TOKEN_LIFETIME_S * 1000 - 1);
    await verifier.verify(token);
    vi.setSystemTime(START.getTime() + ACCESS_TOKEN_LIFETIME_S * 1000);
    await expect(verifier.verify(token)).rejects.toMatchObject(unauthenticated);
    const other = await identity.tokenWith({ ...caller, ...life(0, ACCESS_TOKEN_LIFETIME_S) });
    vi.setSystemTime(START);
    await verifier.verify(other);
    vi.setSystemTime(START.getTime() - 60_001);
    await expect(verifier.verify(other)).rejects.toMatchObject(unauthenticated);
  });

  it('that was verified before is refused once its key is no longer published', async () => {
    let published = identity.jwks;
    const verifier = createTokenVerifier({ jwks: async () => published });
    const token = await identity.tokenWith({ ...caller, ...life(60, 360) });
    await verifier.verify(token);
    published = createTestIdentity().jwks;
    vi.advanceTimersByTime(KEYS_MAX_AGE_MS + 1);
    await verifier.verify(token);
    await settled();
    await expect(verifier.verify(token)).rejects.toMatchObject(unauthenticated);
  });

  it('has one valid form: another text that decodes to the same bytes is refused', async () => {
    const token = await identity.tokenWith(caller);
    const last = token.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // 64 bytes are 86 characters, and the last one has four unused bits.
    const twin = token.slice(0, -1) + alphabet[alphabet.indexOf(last) + 1];
    expect(Buffer.from(twin.split('.')[2] ?? '', 'base64url')).toEqual(
      Buffer.from(token.split('.')[2] ?? '', 'base64url'),
    );
    await verify(token);
    await expect(verify(twin)).rejects.toMatchObject(unauthenticated);
    await expect(verify(`${token}=`)).rejects.toMatchObject(unauthenticated);
  });
});

describe('a token with limits', () => {
  const identity = createTestIdentity();

  it('contains its client and its known scopes', async () => {
    const scopes = ['payments:read', 'rockets:launch'] as never;
    const token = await identity.tokenFor({ id: 'usr_1', roles: ['customer'], clientId: 'cli_1', scopes });
    expect(await identity.verifier.verify(token)).toEqual({
      id: 'usr_1',
      roles: ['customer'],
      clientId: 'cli_1',
      scopes: ['payments:read'],
    });
  });

  it.each([
    ['a client without a scope', { client_id: 'cli_1' }],
    ['a scope without a client', { scope: 'payments:read' }],
    ['a scope that is no text', { client_id: 'cli_1', scope: ['payments:read'] }],
  ])('is refused with %s', async (_, claims) => {
    const token = await identity.tokenWith({ sub: 'usr_1', roles: ['customer'], ...claims });
    const verifier = createTokenVerifier({ jwks: async () => identity.jwks });
    await expect(verifier.verify(token)).rejects.toMatchObject(unauthenticated);
  });
});
