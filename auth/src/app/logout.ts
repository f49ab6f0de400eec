/** Ends a login: revokes the whole family of a refresh token, and its access tokens. */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { readRefreshToken } from '../domain/refresh-token.ts';
import type { Database } from '../store/database.ts';
import { endSessions } from './sessions.ts';

/** Does not throw for an unknown token: it is already worth nothing, as the caller wants (RFC 7009, 2.2). */
export async function logout(
  { db, now }: { db: Kysely<Database>; now(): Date },
  refreshToken: string,
): Promise<void> {
  const presented = readRefreshToken(refreshToken);
  if (!presented) return;
  await inTransaction(db, (trx) =>
    endSessions(trx, { secretHash: presented.familyHash }, { reason: 'logout', now: now() }),
  );
}
