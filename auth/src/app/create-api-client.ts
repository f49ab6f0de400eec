/** Creates an API client that acts for a user. Operators call it. */
import type { Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { hashClientSecret } from '../domain/client-secret.ts';
import { AuthError } from '../domain/errors.ts';
import { isUserId, requireRequestId } from '../domain/user.ts';
import {
  isSameClient,
  type NewUserApiClient,
  newClientSecret,
  type UserApiClient,
} from '../domain/user-api-client.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import { findClientOfRequest, insertUserApiClient } from '../store/user-api-clients.ts';
import { findUser } from '../store/users.ts';

interface CreateApiClientDeps {
  db: Kysely<Database>;
  now(): Date;
  newClientId(): string;
}

interface CreateApiClientRequest {
  origin: Origin;
  /** The caller's id for this request. Empty: not idempotent. */
  requestId: string;
  wanted: NewUserApiClient;
}

export interface CreatedApiClient {
  client: UserApiClient;
  /** Empty in the response to a retry: the secret is shown once and is not stored. */
  secret: string;
}

/** Throws INVALID_ARGUMENT, USER_NOT_FOUND, REQUEST_ID_REUSED. */
export async function createApiClient(
  deps: CreateApiClientDeps,
  { origin, requestId, wanted }: CreateApiClientRequest,
): Promise<CreatedApiClient> {
  requireRequestId(requestId);
  const secret = newClientSecret();
  const client: UserApiClient = {
    ...wanted,
    id: deps.newClientId(),
    createdAt: deps.now(),
    revokedAt: null,
    hasSecret: true,
  };
  return inTransaction(deps.db, async (trx) => {
    if (!isUserId(wanted.userId) || !(await findUser(trx, wanted.userId))) {
      throw new AuthError('USER_NOT_FOUND', 'The user that the client would act for does not exist.');
    }
    const secretHash = hashClientSecret(secret);
    if (!(await insertUserApiClient(trx, { client, secretHash, createdBy: origin.callerId, requestId }))) {
      const earlier = await findClientOfRequest(trx, { createdBy: origin.callerId, requestId });
      return { client: requireSame(earlier, wanted), secret: '' };
    }
    const { name, userId, scopes } = client;
    const details = { name, user_id: userId, scopes };
    await insertAuditRecord(
      trx,
      origin,
      { action: 'client.created', subjectId: client.id, details },
      client.createdAt,
    );
    return { client, secret };
  });
}

function requireSame(earlier: UserApiClient | undefined, wanted: NewUserApiClient): UserApiClient {
  if (earlier && isSameClient(earlier, wanted)) return earlier;
  throw new AuthError('REQUEST_ID_REUSED', 'This request id was used for another API client.');
}
