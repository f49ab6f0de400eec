/** The sessions of a user: listed, and ended before their time. Their access tokens are revoked too. */
import type { Origin, Page } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { AuthError } from '../domain/errors.ts';
import type { Session } from '../domain/refresh-token.ts';
import { oldestValidToken, revokedBefore } from '../domain/revocation.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import {
  type EndReason,
  endFamilies,
  type FamilyChoice,
  hasFamily,
  listFamilies,
} from '../store/refresh-families.ts';
import { insertRevocations } from '../store/revocations.ts';
import { updateTokensValidFrom } from '../store/users.ts';
import { type PageRequest, toPage } from './page.ts';

interface Deps {
  db: Kysely<Database>;
  now(): Date;
}

export async function listSessions(
  { db, now }: Deps,
  { userId, pageSize, beforeId }: PageRequest & { userId: string },
): Promise<Page<Session>> {
  const found = await listFamilies(db, { userId, now: now(), limit: pageSize + 1, beforeId });
  return toPage(found, pageSize);
}

/**
 * Ends sessions and revokes their access tokens. Sessions whose tokens have all expired need no revocation. It must come last in its
 * transaction, like `insertRevocations`.
 */
export async function endSessions(
  trx: Transaction<Database>,
  choice: FamilyChoice,
  { reason, now }: { reason: EndReason; now: Date },
): Promise<void> {
  const ended = await endFamilies(trx, choice, { reason, now });
  const oldest = oldestValidToken(now);
  const withTokens = ended.filter(({ lastUsedAt }) => lastUsedAt > oldest);
  await insertRevocations(
    trx,
    withTokens.map(({ id }) => id),
    { now },
  );
}

/**
 * Revokes all access tokens of a user, those of its API clients too. Its sessions go on, and get tokens with the present roles. It must
 * come last in its transaction.
 */
export async function revokeTokensOfUser(
  trx: Transaction<Database>,
  userId: string,
  now: Date,
): Promise<void> {
  const notBefore = revokedBefore(now);
  await updateTokensValidFrom(trx, userId, notBefore);
  await insertRevocations(trx, [userId], { now, notBefore });
}

/** A session that has ended already stays so. Throws SESSION_NOT_FOUND. */
export async function revokeSession(
  { db, now }: Deps,
  { origin, userId, sessionId }: { origin: Origin; userId: string; sessionId: string },
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const at = now();
    if (!(await hasFamily(trx, userId, sessionId))) {
      throw new AuthError('SESSION_NOT_FOUND', 'The session does not exist.');
    }
    const fact = {
      action: 'session.revoked',
      subjectId: userId,
      details: { session_id: sessionId },
    } as const;
    await insertAuditRecord(trx, origin, fact, at);
    await endSessions(trx, { userId, only: sessionId }, { reason: 'revoked', now: at });
  });
}

export async function revokeAllSessions(
  { db, now }: Deps,
  { origin, userId }: { origin: Origin; userId: string },
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const at = now();
    const fact = { action: 'sessions.revoked', subjectId: userId, details: {} } as const;
    await insertAuditRecord(trx, origin, fact, at);
    await endSessions(trx, { userId }, { reason: 'revoked', now: at });
  });
}
