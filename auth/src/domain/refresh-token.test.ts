import { describe, expect, it } from 'vitest';
import {
  expiryOf,
  hashOf,
  judgeRefresh,
  newFamilySecret,
  newRefreshToken,
  REPEAT_WITHIN_MS,
  type RefreshFamily,
  readRefreshToken,
} from './refresh-token.ts';

const now = new Date('2026-01-01T12:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const policy = { refreshLifetimeMs: 100_000, sessionLifetimeMs: 1_000_000 };
const [first, second, third, request, other] = ['1', '2', '3', 'request', 'other'].map(hashOf) as Buffer[];
if (!first || !second || !third || !request || !other) throw new Error('There is no hash.');

/** The second token is the newest one. The first was used a second ago. */
const family = (change: Partial<RefreshFamily> = {}): RefreshFamily => ({
  createdAt: ago(900_000),
  expiresAt: new Date(now.getTime() + 1),
  revokedAt: null,
  tokenHash: second,
  rotation: { predecessorHash: first, at: ago(1_000), requestHash: request },
  ...change,
});
const rotatedAt = (at: Date, requestHash: Buffer | null = request) => ({
  rotation: { predecessorHash: first, at, requestHash },
});

describe('the verdict on a refresh token', () => {
  it.each<[string, string, Buffer, Buffer | null, RefreshFamily | undefined]>([
    ['rotate', 'the newest', second, null, family()],
    ['rotate', 'the first', first, null, family({ tokenHash: first, rotation: undefined })],
    ['rotate', 'the newest, with the request id of its predecessor', second, request, family()],
    ['repeat', 'the predecessor, in a retry', first, request, family()],
    ['repeat', 'a retry just in time', first, request, family(rotatedAt(ago(REPEAT_WITHIN_MS - 1)))],
    ['reuse', 'a retry that comes too late', first, request, family(rotatedAt(ago(REPEAT_WITHIN_MS)))],
    ['reuse', 'the predecessor, in another request', first, other, family()],
    ['reuse', 'the predecessor, in a request without an id', first, null, family()],
    ['reuse', 'used twice without a request id', first, null, family(rotatedAt(ago(1), null))],
    ['reuse', 'used first without a request id', first, request, family(rotatedAt(ago(1), null))],
    ['reuse', 'older than the predecessor, or never issued', third, request, family()],
    ['refuse', 'expired', second, null, family({ expiresAt: now })],
    ['refuse', 'used and expired', first, null, family({ expiresAt: now })],
    ['refuse', 'revoked', second, null, family({ revokedAt: ago(1) })],
    ['refuse', 'used and revoked', first, null, family({ revokedAt: ago(1) })],
    ['refuse', 'of a session that is too old', second, null, family({ createdAt: ago(1_000_000) })],
    ['rotate', 'of a session in its last millisecond', second, null, family({ createdAt: ago(999_999) })],
    ['refuse', 'unknown', second, null, undefined],
  ])('is %s if it is %s', (verdict, _, tokenHash, requestHash, stored) => {
    expect(judgeRefresh(stored, { tokenHash, requestHash }, now, policy)).toBe(verdict);
  });
});

it('a refresh extends a session up to its longest lifetime', () => {
  expect(expiryOf(ago(0), now, policy)).toEqual(new Date(now.getTime() + 100_000));
  expect(expiryOf(ago(950_000), now, policy)).toEqual(new Date(now.getTime() + 50_000));
});

describe('a refresh token', () => {
  it('has the secret of its family and 256 random bits of its own, each kept as a hash', () => {
    const secret = newFamilySecret();
    const [token, next] = [newRefreshToken(secret), newRefreshToken(secret)].map(readRefreshToken);
    expect(token).toMatchObject({ familySecret: secret, familyHash: hashOf(secret) });
    expect(next?.familyHash).toEqual(token?.familyHash);
    expect(next?.tokenHash).not.toEqual(token?.tokenHash);
    expect(newFamilySecret()).not.toBe(secret);
  });

  it.each([
    '',
    'a',
    'a'.repeat(43),
    'a'.repeat(85),
    'a'.repeat(87),
    `${'a'.repeat(85)}=`,
    `${'a'.repeat(85)}\n`,
  ])('is not %j', (text) => {
    expect(readRefreshToken(text)).toBeUndefined();
  });
});
