/**
 * Exchanges the credentials of an API client for an access token (RFC 6749, 4.4): its id and secret, or an assertion that it has signed
 * (RFC 7523). There is no refresh token: a client can log in again.
 */
import type { Scope } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import { compactVerify } from 'jose';
import type { Kysely } from 'kysely';
import { type ClientAssertion, invalidAssertion, readAssertion } from '../domain/client-assertion.ts';
import { algorithmsOf, type ClientKey, openClientKey } from '../domain/client-key.ts';
import { secretMatches } from '../domain/client-secret.ts';
import { AuthError, invalid, invalidCredentials } from '../domain/errors.ts';
import { isUserApiClientId } from '../domain/user-api-client.ts';
import { hasClientKey, insertAssertion, listClientKeys } from '../store/client-keys.ts';
import type { Database } from '../store/database.ts';
import { findLoginOfClient, type LoginOfClient } from '../store/user-api-clients.ts';
import type { AccessToken, AccessTokenSigner } from './access-tokens.ts';

/** The client whose proof was refused, and the subject of its tokens. Empty if there is no such client, or if it is revoked. */
export interface FailedClient {
  client_id?: string;
  subject?: string;
  /** Set if the proof was right, but used a second time. */
  reason?: string;
}

interface LoginClientDeps {
  db: Kysely<Database>;
  accessTokenSigner: AccessTokenSigner;
  /** The addresses of this platform that an assertion may be for. */
  assertionAudiences: readonly string[];
  now(): Date;
  /** Called when the id or its proof is wrong. */
  onFailure(client: FailedClient): void;
}

interface ClientCredentials {
  /** May be empty with an assertion. */
  clientId: string;
  /** One of the two is empty. */
  clientSecret: string;
  clientAssertion: string;
  /** Scopes separated by blanks. Empty: all of the client. */
  scope: string;
}

/**
 * Throws INVALID_ARGUMENT, INVALID_CREDENTIALS, INVALID_CLIENT_ASSERTION, INVALID_SCOPE. INVALID_CREDENTIALS is the same for an unknown
 * client, a revoked client, a client of a disabled user, a wrong secret and a wrong signature.
 */
export async function loginClient(
  deps: LoginClientDeps,
  credentials: ClientCredentials,
): Promise<AccessToken> {
  const { clientId, clientSecret, clientAssertion, scope } = credentials;
  if (clientSecret !== '' && clientAssertion !== '') {
    throw invalid([{ field: 'client_assertion', description: 'cannot be sent together with client_secret' }]);
  }
  const client =
    clientAssertion === ''
      ? await proveSecret(deps, clientId, clientSecret)
      : await proveAssertion(deps, clientAssertion, clientId);
  const { id, userId, roles, tokensValidFrom } = client;
  const scopes = narrowed(client.scopes, scope);
  const sign = await deps.accessTokenSigner();
  return sign({ id: userId, roles, tokensValidFrom, client: { id, scopes } });
}

/** RFC 6749, 3.3. Throws INVALID_SCOPE. */
function narrowed(scopes: readonly Scope[], wanted: string): readonly Scope[] {
  const names = wanted.split(' ').filter((name) => name !== '');
  if (names.every((name) => (scopes as readonly string[]).includes(name))) {
    return names.length === 0 ? scopes : scopes.filter((scope) => names.includes(scope));
  }
  throw new AuthError('INVALID_SCOPE', `The API client has only the scopes ${scopes.join(' ')}.`);
}

async function proveSecret(deps: LoginClientDeps, id: string, secret: string): Promise<LoginOfClient> {
  const client = await findClient(deps.db, id);
  if (secretMatches(client, secret) && client) return client;
  throw refused(deps, client);
}

async function proveAssertion(deps: LoginClientDeps, text: string, id: string): Promise<LoginOfClient> {
  const assertion = readAssertion(text, {
    clientId: id,
    audiences: deps.assertionAudiences,
    now: deps.now(),
  });
  const client = await findClient(deps.db, assertion.clientId);
  const key = client && (await signingKeyOf(assertion, await listClientKeys(deps.db, client.id)));
  if (!key) throw refused(deps, client);
  const verdict = await inTransaction(deps.db, async (trx) => {
    // Read again: the key may have been removed, or the client revoked.
    const current = await findLoginOfClient(trx, client.id);
    if (!current || !(await hasClientKey(trx, client.id, key.kid))) return undefined;
    return (await insertAssertion(trx, assertion)) ? current : 'used';
  });
  if (verdict === undefined) throw refused(deps, client);
  if (verdict !== 'used') return verdict;
  refused(deps, client, 'the assertion was used before');
  throw invalidAssertion('was used before: make a new one, with another jti, for each request');
}

/** Returns the key that has signed the assertion. A `kid` that is no key's is wrong, whatever the signature. */
async function signingKeyOf(
  { text, alg, kid }: ClientAssertion,
  keys: readonly ClientKey[],
): Promise<ClientKey | undefined> {
  for (const key of keys) {
    if ((kid !== undefined && kid !== key.kid) || !algorithmsOf(key.jwk).includes(alg)) continue;
    if (await isSignedBy(text, key)) return key;
  }
  return undefined;
}

async function isSignedBy(text: string, { jwk }: ClientKey): Promise<boolean> {
  try {
    await compactVerify(text, openClientKey(jwk), { algorithms: [...algorithmsOf(jwk)] });
    return true;
  } catch {
    return false;
  }
}

async function findClient(db: Kysely<Database>, id: string): Promise<LoginOfClient | undefined> {
  return isUserApiClientId(id) ? findLoginOfClient(db, id) : undefined;
}

function refused(
  { onFailure }: LoginClientDeps,
  client: LoginOfClient | undefined,
  reason?: string,
): AuthError {
  onFailure(
    client ? { client_id: client.id, subject: client.userId, ...(reason !== undefined && { reason }) } : {},
  );
  return invalidCredentials();
}
