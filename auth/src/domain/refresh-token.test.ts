import { describe, expect, it } from 'vitest';
import { hashRefreshToken, judgeRefresh, newRefreshToken } from './refresh-token.ts';

const now = new Date('2026-01-01T12:00:00Z');
const earlier = new Date('2026-01-01T11:00:00Z');
const later = new Date('2026-01-01T13:00:00Z');

describe('the verdict on a refresh token', () => {
  it.each([
    ['spend', 'fresh', { spentAt: null, family: { expiresAt: later, revokedAt: null } }],
    ['reuse', 'spent', { spentAt: earlier, family: { expiresAt: later, revokedAt: null } }],
    ['refuse', 'expired', { spentAt: null, family: { expiresAt: now, revokedAt: null } }],
    ['refuse', 'spent and expired', { spentAt: earlier, family: { expiresAt: now, revokedAt: null } }],
    ['refuse', 'revoked', { spentAt: null, family: { expiresAt: later, revokedAt: earlier } }],
    ['refuse', 'spent and revoked', { spentAt: earlier, family: { expiresAt: later, revokedAt: earlier } }],
    ['refuse', 'unknown', undefined],
  ] as const)('is %s when it is %s', (verdict, _, token) => {
    expect(judgeRefresh(token, now)).toBe(verdict);
  });
});

it('is 256 random bits, kept as a hash of 256', () => {
  const token = newRefreshToken();
  expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  expect(token).not.toBe(newRefreshToken());
  expect(hashRefreshToken(token)).toHaveLength(32);
});
