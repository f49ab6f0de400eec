/** Links that prove that a person reads the mails to an address. */

import { createHash, createHmac, hkdfSync } from 'node:crypto';
import type { Keys } from '@payflowx/chassis';
import { AuthError } from './errors.ts';

export interface EmailConfirmation {
  id: string;
  userId: string;
  /** The address that the link is sent to. */
  email: string;
  tokenHash: Buffer;
  requestedAt: Date;
  expiresAt: Date;
}

export const LINK_LIFETIME_MS = 24 * 60 * 60 * 1_000;
/** A user may request this many links in an hour. */
export const LINKS_PER_HOUR = 5;
const HOUR_MS = 60 * 60 * 1_000;

export function newConfirmation(
  { id, userId, email }: Pick<EmailConfirmation, 'id' | 'userId' | 'email'>,
  sealingKey: Keys,
  now: Date,
): EmailConfirmation {
  return {
    ...{ id, userId, email },
    tokenHash: hashConfirmationToken(confirmationToken(id, listOf(sealingKey)[0])),
    requestedAt: now,
    expiresAt: new Date(now.getTime() + LINK_LIFETIME_MS),
  };
}

/**
 * The secret of the link, 256 bits. It is computed from the id and a key that the database does not have, so it is stored nowhere. A
 * mail that is sent twice has the same link.
 */
export function confirmationToken(id: string, sealingKey: Buffer): string {
  const key = Buffer.from(hkdfSync('sha256', sealingKey, '', 'email confirmations', 32));
  return createHmac('sha256', key).update(id).digest('base64url');
}

/** Returns the token with this hash: it may come from an earlier key. Undefined if its key is lost. */
export function tokenWithHash(id: string, tokenHash: Buffer, sealingKey: Keys): string | undefined {
  const tokens = listOf(sealingKey).map((key) => confirmationToken(id, key));
  return tokens.find((token) => hashConfirmationToken(token).equals(tokenHash));
}

function listOf(keys: Keys): readonly [Buffer, ...Buffer[]] {
  const [first = Buffer.alloc(0), ...others] = Buffer.isBuffer(keys) ? [keys] : keys;
  return [first, ...others];
}

export function hashConfirmationToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The moment since which requests count. */
export function startOfQuota(now: Date): Date {
  return new Date(now.getTime() - HOUR_MS);
}

/** `requested` are the times of the requests that count, the oldest first. Throws TOO_MANY_CONFIRMATIONS. */
export function requireQuota(requested: readonly Date[], now: Date): void {
  const oldest = requested.at(-LINKS_PER_HOUR);
  if (!oldest) return;
  const retryAfterMs = oldest.getTime() + HOUR_MS - now.getTime();
  throw new AuthError('TOO_MANY_CONFIRMATIONS', 'Too many links were requested. Try again later.', {
    retryAfterMs: Math.max(retryAfterMs, 1_000),
  });
}

/** One error for an unknown, a used and an expired token, and for one of a former address. */
export function invalidConfirmationToken(): AuthError {
  return new AuthError(
    'INVALID_CONFIRMATION_TOKEN',
    'This link is not valid. It works once, for a limited time, and for the current address. Request a new one.',
  );
}
