import { expect, it } from 'vitest';
import { endOfTokens, oldestValidToken, revokedBefore } from './revocation.ts';

const now = new Date('2026-01-01T12:00:00.000Z');
const at = (s: number) => new Date(now.getTime() + s * 1_000);

it('new tokens begin at a whole second, at least five seconds ahead', () => {
  expect(revokedBefore(now)).toEqual(at(5));
  expect(revokedBefore(at(0.001))).toEqual(at(6));
  expect(revokedBefore(at(0.999))).toEqual(at(6));
});

it('a token that is signed now is over after its life, the lead of a clock and a tolerance', () => {
  expect(endOfTokens(now)).toEqual(at(5 + 300 + 60));
});

it('a session has no valid token if the last retry of its last refresh is longer ago than such a token lives', () => {
  expect(oldestValidToken(now)).toEqual(at(-(5 + 300 + 60) - 60));
});
