import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestIdentity } from '../testing/index.ts';
import { createTokenVerifier, KEYS_MAX_AGE_MS, keyStore } from './identity.ts';

describe('the store of public keys', () => {
  const [old] = createTestIdentity().jwks;
  const [announced] = createTestIdentity().jwks;
  if (!old || !announced) throw new Error('There are no keys to test with.');
  let published = [old];
  const jwks = vi.fn(async () => published);

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    published = [old];
    jwks.mockReset().mockImplementation(async () => published);
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('asks once for keys that many ask for, and not again while they are young', async () => {
    const keyOf = keyStore(jwks);
    await Promise.all([keyOf(old.kid), keyOf(old.kid)]);
    vi.advanceTimersByTime(KEYS_MAX_AGE_MS - 1);
    await keyOf(old.kid);
    expect(jwks).toHaveBeenCalledTimes(1);
  });

  it('learns a key that is announced before anybody names it, and forgets one that was taken back', async () => {
    const keyOf = keyStore(jwks);
    await keyOf(old.kid);
    published = [announced];
    vi.advanceTimersByTime(KEYS_MAX_AGE_MS + 1);
    await keyOf(old.kid);
    await settled();
    expect(jwks).toHaveBeenCalledTimes(2);
    await keyOf(announced.kid);
    await expect(keyOf(old.kid)).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
    expect(jwks).toHaveBeenCalledTimes(2);
  });

  it('keeps its keys while they cannot be had anew, and does not ask at every call', async () => {
    const keyOf = keyStore(jwks);
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

describe('a token that is limited', () => {
  const identity = createTestIdentity();

  it('tells its client and those of its scopes that are known', async () => {
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
    await expect(verifier.verify(token)).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  });
});
