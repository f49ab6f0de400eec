/** Ends a login: revokes the whole family of a refresh token. */
import type { Kysely } from 'kysely';
import { readRefreshToken } from '../domain/refresh-token.ts';
import type { Database } from '../store/database.ts';
import { revokeFamily } from '../store/refresh-families.ts';

/** Does not throw for an unknown token: it is already worth nothing, as the caller wants (RFC 7009, 2.2). */
export async function logout(
  deps: { db: Kysely<Database>; now(): Date },
  refreshToken: string,
): Promise<void> {
  const presented = readRefreshToken(refreshToken);
  if (presented) await revokeFamily(deps.db, presented.familyHash, { reason: 'logout', now: deps.now() });
}
