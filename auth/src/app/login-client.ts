/**
 * Exchanges an API client's id and secret for an access token (RFC 6749, 4.4). There is no refresh token: a client can log in
 * again.
 */
import type { Kysely } from 'kysely';
import type { Subject } from '../domain/access-token.ts';
import { isClientId, secretMatches } from '../domain/api-client.ts';
import { invalidCredentials } from '../domain/errors.ts';
import { isUserApiClientId } from '../domain/user-api-client.ts';
import { findApiClient } from '../store/api-clients.ts';
import type { Database } from '../store/database.ts';
import { findLoginOfClient } from '../store/user-api-clients.ts';
import type { AccessToken, AccessTokenSigner } from './access-tokens.ts';

/** The client whose secret was wrong, and the subject of its tokens. Empty if there is no such client, or if it is revoked. */
export interface FailedClient {
  client_id?: string;
  subject?: string;
}

interface LoginClientDeps {
  db: Kysely<Database>;
  accessTokenSigner: AccessTokenSigner;
  /** Called when the id or the secret is wrong. */
  onFailure(client: FailedClient): void;
}

/** Throws INVALID_CREDENTIALS. The error is the same for an unknown client, a revoked client and a wrong secret. */
export async function loginClient(
  deps: LoginClientDeps,
  { clientId, clientSecret }: { clientId: string; clientSecret: string },
): Promise<AccessToken> {
  const found = await findSubject(deps.db, clientId);
  if (!secretMatches(found, clientSecret) || !found) {
    deps.onFailure(found ? { client_id: clientId, subject: found.subject.id } : {});
    throw invalidCredentials();
  }
  const sign = await deps.accessTokenSigner();
  return sign(found.subject);
}

/** Returns the subject of the client's tokens: a service itself, or the user that any other client acts for. */
async function findSubject(
  db: Kysely<Database>,
  id: string,
): Promise<{ secretHash: Buffer; subject: Subject } | undefined> {
  if (isUserApiClientId(id)) {
    const client = await findLoginOfClient(db, id);
    if (!client) return undefined;
    const { secretHash, userId, roles, scopes } = client;
    return { secretHash, subject: { id: userId, roles, client: { id, scopes } } };
  }
  const service = isClientId(id) ? await findApiClient(db, id) : undefined;
  return service && { secretHash: service.secretHash, subject: { id, roles: service.roles } };
}
