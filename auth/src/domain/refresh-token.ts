/**
 * Refresh tokens: single use, in families that begin with a login. Pure but for the random bits. A token has two parts of 256
 * random bits: the secret of its family, and its own. Only a holder of some token of the family knows the first part. So a token
 * of the family that is not the newest one was used before, and no list of used tokens is needed.
 *
 * Reuse detection follows RFC 9700, 4.14.2: if two clients hold one token, one is a thief, and the service cannot know which.
 */
import { createHash, randomBytes } from 'node:crypto';

/** The stored state of a family. The hashes are those of the own parts of its tokens. */
export interface RefreshFamily {
  createdAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
  tokenHash: Buffer;
  /** The last use of a token. Undefined before the first one. */
  rotation: Rotation | undefined;
}

interface Rotation {
  /** The token that was used. */
  predecessorHash: Buffer;
  at: Date;
  /** Null if the request had no id. */
  requestHash: Buffer | null;
}

/** A login as its user sees it. */
export interface Session {
  id: string;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
}

/** A token and the hashes of its two parts. */
export interface RefreshToken {
  text: string;
  familySecret: string;
  familyHash: Buffer;
  tokenHash: Buffer;
}

/**
 * `rotate`: the newest token. `repeat`: the retry of a request whose response may be lost. `reuse`: a token that was used before,
 * which may be a theft. `refuse`: the family does not exist or has ended.
 */
export type RefreshVerdict = 'rotate' | 'repeat' | 'reuse' | 'refuse';

export interface RefreshPolicy {
  /** A session that is not refreshed ends after this time. */
  refreshLifetimeMs: number;
  /** A session ends at this age, however often it is refreshed. */
  sessionLifetimeMs: number;
}

/** A retry with the same request id is accepted for this time. It outlasts the timeouts of a client and of the services between. */
export const REPEAT_WITHIN_MS = 60_000;

/** The length of 32 bytes in base64url. */
const PART_LENGTH = 43;
const TOKEN = new RegExp(`^([A-Za-z0-9_-]{${PART_LENGTH}})([A-Za-z0-9_-]{${PART_LENGTH}})$`);

export function newFamilySecret(): string {
  return randomBytes(32).toString('base64url');
}

export function newRefreshToken(familySecret: string): RefreshToken {
  return tokenOf(familySecret, randomBytes(32).toString('base64url'));
}

/** Undefined for a text that is not a refresh token. */
export function readRefreshToken(text: string): RefreshToken | undefined {
  const [, familySecret, own] = TOKEN.exec(text) ?? [];
  return familySecret !== undefined && own !== undefined ? tokenOf(familySecret, own) : undefined;
}

function tokenOf(familySecret: string, own: string): RefreshToken {
  return {
    text: familySecret + own,
    familySecret,
    familyHash: hashOf(familySecret),
    tokenHash: hashOf(own),
  };
}

/** SHA-256 is enough. Unlike a password, 256 random bits cannot be guessed, so a slow hash would protect nothing. */
export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Returns the end of a session that is refreshed now. */
export function expiryOf(createdAt: Date, now: Date, policy: RefreshPolicy): Date {
  return new Date(
    Math.min(now.getTime() + policy.refreshLifetimeMs, createdAt.getTime() + policy.sessionLifetimeMs),
  );
}

/**
 * Decides about a presented token. A retry is recognized by its request id, which a thief of the token does not know. It is accepted
 * only while no newer token was used: then no client has used the lost response.
 */
export function judgeRefresh(
  family: RefreshFamily | undefined,
  { tokenHash, requestHash }: { tokenHash: Buffer; requestHash: Buffer | null },
  now: Date,
  policy: RefreshPolicy,
): RefreshVerdict {
  if (!family || family.revokedAt || family.expiresAt <= now) return 'refuse';
  if (now.getTime() >= family.createdAt.getTime() + policy.sessionLifetimeMs) return 'refuse';
  if (tokenHash.equals(family.tokenHash)) return 'rotate';
  const { rotation } = family;
  const isRepeat =
    rotation?.requestHash &&
    requestHash?.equals(rotation.requestHash) &&
    tokenHash.equals(rotation.predecessorHash) &&
    now.getTime() < rotation.at.getTime() + REPEAT_WITHIN_MS;
  return isRepeat ? 'repeat' : 'reuse';
}
