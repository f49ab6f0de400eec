/** Exchanges a refresh token for the next token pair of its family. */
import { SECOND_FACTOR_SETUP } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { invalidRefreshToken } from '../domain/errors.ts';
import { type FactorPolicy, standingOf } from '../domain/factor-policy.ts';
import {
  expiryOf,
  hashOf,
  judgeRefresh,
  newRefreshToken,
  type RefreshPolicy,
  readRefreshToken,
} from '../domain/refresh-token.ts';
import { requireRequestId } from '../domain/user.ts';
import type { Database } from '../store/database.ts';
import { lockFamily, replaceToken, rotateToken } from '../store/refresh-families.ts';
import type { AccessTokenSigner } from './access-tokens.ts';
import type { TokenPair } from './login.ts';
import { endSessions } from './sessions.ts';

interface RefreshDeps {
  db: Kysely<Database>;
  accessTokenSigner: AccessTokenSigner;
  sessions: RefreshPolicy;
  factorPolicy: FactorPolicy;
  now(): Date;
  /** Called when a used token is used again, which may be a theft. */
  onReuse(familyId: string, userId: string): void;
}

interface RefreshRequest {
  refreshToken: string;
  /** The caller's id for this request. Empty: a retry counts as a reuse. */
  requestId: string;
}

/** Throws INVALID_ARGUMENT, INVALID_REFRESH_TOKEN. */
export async function refreshTokens(
  deps: RefreshDeps,
  { refreshToken, requestId }: RefreshRequest,
): Promise<TokenPair> {
  requireRequestId(requestId);
  const presented = readRefreshToken(refreshToken);
  if (!presented) throw invalidRefreshToken();
  const { familySecret, familyHash, tokenHash } = presented;
  const requestHash = requestId === '' ? null : hashOf(requestId);
  const next = newRefreshToken(familySecret);
  // The key is read before the transaction: a transaction that waits for a second connection could exhaust the pool.
  const sign = await deps.accessTokenSigner();
  const outcome = await inTransaction(deps.db, async (trx) => {
    const family = await lockFamily(trx, familyHash);
    const now = deps.now();
    const verdict = judgeRefresh(family, { tokenHash, requestHash }, now, deps.sessions);
    if (!family || verdict === 'refuse') return undefined;
    if (verdict === 'reuse') {
      await endSessions(trx, { secretHash: familyHash }, { reason: 'reuse', now });
      return { reused: family };
    }
    const standing = standingOf(family.user, family, deps.factorPolicy);
    if (standing === 'log-in-again') return undefined;
    const restrictedTo = standing === 'setup' ? SECOND_FACTOR_SETUP : undefined;
    // Signed before the commit: a token whose successor could not be issued is not spent.
    const session = { id: family.id, loggedInAt: family.createdAt };
    const pair = { ...sign({ ...family.user, session, restrictedTo }), refreshToken: next.text };
    if (verdict === 'repeat') await replaceToken(trx, family.id, next.tokenHash);
    else {
      const expiresAt = expiryOf(family.createdAt, now, deps.sessions);
      const rotation = { presentedHash: tokenHash, nextHash: next.tokenHash, requestHash, now, expiresAt };
      await rotateToken(trx, family.id, rotation);
    }
    return { pair };
  });
  // Thrown after the commit: inside the transaction it would roll the revocation back.
  if (outcome?.reused) deps.onReuse(outcome.reused.id, outcome.reused.user.id);
  if (!outcome?.pair) throw invalidRefreshToken();
  return outcome.pair;
}
