import { ACCESS_TOKEN_LIFETIME_S, createTokenVerifier } from '@payflowx/chassis';
import { createDecoder } from 'fast-jwt';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeSigningKey, openSigningKey, toJwk } from '../domain/signing-key.ts';
import { createAccessTokenSigner } from './access-tokens.ts';

const SEALING_KEY = Buffer.alloc(32, 7);
const WHOLE_SECOND_MS = Date.UTC(2026, 0, 1, 12);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it.each([0, 1, 999])(
  'a token that is signed %d ms after a second lives from that second on, for its lifetime',
  async (ms) => {
    vi.setSystemTime(WHOLE_SECOND_MS + ms);
    const key = makeSigningKey(SEALING_KEY);
    const privateKey = openSigningKey(key, SEALING_KEY);
    const signer = createAccessTokenSigner({
      activeKey: async () => ({ kid: key.kid, privateKey }),
      now: () => new Date(),
      newTokenId: () => 'jti_1',
    });
    const { accessToken, expiresIn } = (await signer())({ id: 'usr_1', roles: ['customer'] });
    const { iat, exp } = createDecoder()(accessToken);
    expect([iat * 1000, exp - iat, expiresIn]).toEqual([
      WHOLE_SECOND_MS,
      ACCESS_TOKEN_LIFETIME_S,
      ACCESS_TOKEN_LIFETIME_S,
    ]);

    const verify = () => createTokenVerifier({ jwks: async () => [toJwk(key)] }).verify(accessToken);
    vi.setSystemTime(exp * 1000 - 1);
    await verify();
    vi.setSystemTime(exp * 1000);
    await expect(verify()).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  },
);
