import { describe, expect, it } from 'vitest';
import {
  confirmationToken,
  hashConfirmationToken,
  invalidConfirmationToken,
  newConfirmation,
  requireQuota,
  startOfQuota,
  tokenWithHash,
} from './email-confirmation.ts';
import { AuthError } from './errors.ts';

const now = new Date('2026-01-01T12:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const HOUR = 3_600_000;
const key = Buffer.alloc(32, 1);

it('a link is valid for a day, and only the hash of its token is stored', () => {
  const of = { id: 'ecf_1', userId: 'usr_1', email: 'a@example.org' };
  expect(newConfirmation(of, key, now)).toEqual({
    ...of,
    tokenHash: hashConfirmationToken(confirmationToken('ecf_1', key)),
    requestedAt: now,
    expiresAt: ago(-24 * HOUR),
  });
});

describe('the token of a link', () => {
  it('is the same whenever a mail is sent again, also by another version', () => {
    expect(confirmationToken('ecf_1', key)).toMatchInlineSnapshot(
      `"uIA4Vkh9zwCLi4S_9UtNU7Y7nJPHJKGRezJJ1WgSPEw"`,
    );
    expect(hashConfirmationToken('x').toString('hex')).toMatchInlineSnapshot(
      `"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"`,
    );
  });

  it('differs for each link and each key', () => {
    const tokens = [
      confirmationToken('ecf_1', key),
      confirmationToken('ecf_2', key),
      confirmationToken('ecf_1', Buffer.alloc(32, 2)),
    ];
    expect(new Set(tokens).size).toBe(3);
    expect(tokens.every((token) => /^[\w-]{43}$/.test(token))).toBe(true);
  });
});

describe('the quota of links', () => {
  const refusalOf = (requested: readonly Date[]) => {
    try {
      requireQuota(requested, now);
    } catch (error) {
      return error as AuthError;
    }
    return undefined;
  };

  it('is five in an hour', () => {
    expect(startOfQuota(now)).toEqual(ago(HOUR));
    expect(refusalOf([])).toBeUndefined();
    expect(refusalOf([4, 3, 2, 1].map(ago))).toBeUndefined();
    expect(refusalOf([5, 4, 3, 2, 1].map(ago))).toEqual(
      new AuthError('TOO_MANY_CONFIRMATIONS', 'Too many links were requested. Try again later.', {
        retryAfterMs: HOUR - 5,
      }),
    );
  });

  it('is free again when the fifth last request is an hour old, and never in less than a second', () => {
    expect(refusalOf([50, 40, 30, 20, 10, 5].map(ago))?.retryAfterMs).toBe(HOUR - 40);
    expect(refusalOf([HOUR - 1, 4, 3, 2, 1].map(ago))?.retryAfterMs).toBe(1_000);
  });
});

it('every token that does not work has the same error', () => {
  expect(invalidConfirmationToken()).toEqual(
    new AuthError(
      'INVALID_CONFIRMATION_TOKEN',
      'This link is not valid. It works once, for a limited time, and for the current address. Request a new one.',
    ),
  );
});

it('the token of a stored hash is found again under an earlier key, and not if that key is lost', () => {
  const [former, current] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const token = confirmationToken('ecf_1', former);
  const find = (id: string, keys: Buffer | readonly [Buffer, ...Buffer[]]) =>
    tokenWithHash(id, hashConfirmationToken(token), keys);
  expect(find('ecf_1', former)).toBe(token);
  expect(find('ecf_1', [current, former])).toBe(token);
  expect(find('ecf_1', current)).toBeUndefined();
  expect(find('ecf_2', former)).toBeUndefined();
});
