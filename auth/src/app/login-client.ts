/** An API client's id and secret for an access token (RFC 6749, 4.4). There is no refresh token: a client can log in again. */
import type { Kysely } from 'kysely';
import { isClientId, secretMatches } from '../domain/api-client.ts';
import { invalidCredentials } from '../domain/errors.ts';
import { findApiClient } from '../store/api-clients.ts';
import type { Database } from '../store/database.ts';
import type { AccessToken, IssueAccessToken } from './access-tokens.ts';

/** Throws INVALID_CREDENTIALS. */
export async function loginClient(
  deps: { db: Kysely<Database>; issueAccessToken: IssueAccessToken },
  { clientId, clientSecret }: { clientId: string; clientSecret: string },
): Promise<AccessToken> {
  const client = isClientId(clientId) ? await findApiClient(deps.db, clientId) : undefined;
  if (!secretMatches(client, clientSecret) || !client) throw invalidCredentials();
  return deps.issueAccessToken(client);
}
