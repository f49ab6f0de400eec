/** Revokes an API client, or replaces its secret, for an operator. */
import type { Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { hashClientSecret } from '../domain/client-secret.ts';
import { AuthError } from '../domain/errors.ts';
import {
  clientNotFound,
  isUserApiClientId,
  newClientSecret,
  type UserApiClient,
} from '../domain/user-api-client.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import { insertRevocations } from '../store/revocations.ts';
import { lockUserApiClient, revokeUserApiClient, updateClientSecret } from '../store/user-api-clients.ts';

interface Deps {
  db: Kysely<Database>;
  now(): Date;
}

interface Request {
  origin: Origin;
  clientId: string;
}

/** Revokes permanently. A second call changes nothing. Throws API_CLIENT_NOT_FOUND. */
export async function revokeApiClient(
  { db, now }: Deps,
  { origin, clientId }: Request,
): Promise<UserApiClient> {
  return inTransaction(db, async (trx) => {
    const client = await lockClient(trx, clientId);
    if (client.revokedAt) return client;
    const revokedAt = now();
    await revokeUserApiClient(trx, clientId, revokedAt);
    const details = { name: client.name, user_id: client.userId };
    await insertAuditRecord(
      trx,
      origin,
      { action: 'client.revoked', subjectId: clientId, details },
      revokedAt,
    );
    await insertRevocations(trx, [clientId], { now: revokedAt });
    return { ...client, revokedAt, hasSecret: false };
  });
}

/** The old secret stops working at once. Throws API_CLIENT_NOT_FOUND, API_CLIENT_REVOKED. */
export async function rotateApiClientSecret(
  { db, now }: Deps,
  { origin, clientId }: Request,
): Promise<string> {
  const secret = newClientSecret();
  await inTransaction(db, async (trx) => {
    const client = await lockClient(trx, clientId);
    if (client.revokedAt)
      throw new AuthError('API_CLIENT_REVOKED', 'This API client is revoked permanently.');
    await updateClientSecret(trx, clientId, hashClientSecret(secret));
    const details = { name: client.name, user_id: client.userId };
    await insertAuditRecord(
      trx,
      origin,
      { action: 'client.secret_rotated', subjectId: clientId, details },
      now(),
    );
  });
  return secret;
}

/** Throws API_CLIENT_NOT_FOUND. */
export async function lockClient(trx: Transaction<Database>, clientId: string): Promise<UserApiClient> {
  const client = isUserApiClientId(clientId) ? await lockUserApiClient(trx, clientId) : undefined;
  if (!client) throw clientNotFound();
  return client;
}
