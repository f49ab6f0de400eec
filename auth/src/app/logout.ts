/** Ends a login: revokes the whole family of a refresh token. */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { hashRefreshToken } from '../domain/refresh-token.ts';
import type { Database } from '../store/database.ts';
import { findFamilyId, revokeFamily } from '../store/refresh-tokens.ts';

/** Does not throw for an unknown token: it is already worth nothing, as the caller wants (RFC 7009, 2.2). */
export async function logout(
  deps: { db: Kysely<Database>; now(): Date },
  refreshToken: string,
): Promise<void> {
  const familyId = await findFamilyId(deps.db, hashRefreshToken(refreshToken));
  if (familyId === undefined) return;
  await inTransaction(deps.db, (trx) => revokeFamily(trx, familyId, { reason: 'logout', now: deps.now() }));
}
