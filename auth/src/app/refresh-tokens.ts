/** Exchanges a refresh token for the next token pair of its family. */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { invalidRefreshToken } from '../domain/errors.ts';
import { hashRefreshToken, judgeRefresh, newRefreshToken } from '../domain/refresh-token.ts';
import type { Database } from '../store/database.ts';
import { lockRefreshToken, revokeFamily, rotateToken } from '../store/refresh-tokens.ts';
import type { IssueAccessToken } from './access-tokens.ts';
import type { TokenPair } from './login.ts';

interface RefreshDeps {
  db: Kysely<Database>;
  issueAccessToken: IssueAccessToken;
  refreshLifetimeMs: number;
  now(): Date;
  /** Called when a spent token is used again, which may be a theft. */
  onReuse(familyId: string, userId: string): void;
}

/** Throws INVALID_REFRESH_TOKEN. */
export async function refreshTokens(deps: RefreshDeps, refreshToken: string): Promise<TokenPair> {
  const spentHash = hashRefreshToken(refreshToken);
  const next = newRefreshToken();
  const outcome = await inTransaction(deps.db, async (trx) => {
    const token = await lockRefreshToken(trx, spentHash);
    const now = deps.now();
    const verdict = judgeRefresh(token, now);
    if (!token || verdict === 'refuse') return undefined;
    const { familyId, user } = token;
    if (verdict === 'reuse') {
      await revokeFamily(trx, familyId, { reason: 'reuse', now });
      return { reused: true, familyId, user };
    }
    const expiresAt = new Date(now.getTime() + deps.refreshLifetimeMs);
    await rotateToken(trx, { familyId, spentHash, nextHash: hashRefreshToken(next), now, expiresAt });
    return { reused: false, familyId, user };
  });
  // Thrown after the commit: inside the transaction it would roll the revocation back.
  if (outcome?.reused) deps.onReuse(outcome.familyId, outcome.user.id);
  if (!outcome || outcome.reused) throw invalidRefreshToken();
  return { ...(await deps.issueAccessToken(outcome.user)), refreshToken: next };
}
