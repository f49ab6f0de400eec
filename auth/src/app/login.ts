/** Exchanges a name and a password for a token pair, the first of its family. */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { networkOf } from '../domain/client-address.ts';
import { invalidCredentials, tooManyLogins } from '../domain/errors.ts';
import { throttleKeys } from '../domain/login-throttle.ts';
import { expiryOf, newFamilySecret, newRefreshToken, type RefreshPolicy } from '../domain/refresh-token.ts';
import { isUsername, requireLoginPassword } from '../domain/user.ts';
import type { Database } from '../store/database.ts';
import { insertFamily } from '../store/refresh-families.ts';
import { findUserByName } from '../store/users.ts';
import type { AccessToken, AccessTokenSigner } from './access-tokens.ts';
import { type Admission, admitTry, recordFailure, recordSuccess } from './login-throttle.ts';
import type { PasswordHasher } from './password-hasher.ts';

export interface TokenPair extends AccessToken {
  refreshToken: string;
}

interface LoginDeps {
  db: Kysely<Database>;
  passwords: Pick<PasswordHasher, 'inTurn'>;
  accessTokenSigner: AccessTokenSigner;
  sessions: RefreshPolicy;
  now(): Date;
  newFamilyId(): string;
  /** Called when the name or the password is wrong. The id is undefined if no user has the name. */
  onFailure(userId: string | undefined): void;
}

interface LoginRequest {
  username: string;
  password: string;
  /** The IP address that the login comes from. */
  address: string;
}

/** Throws INVALID_CREDENTIALS or TOO_MANY_LOGINS. Error and response time are the same whether or not the user exists. */
export async function login(
  deps: LoginDeps,
  { username, password, address }: LoginRequest,
): Promise<TokenPair> {
  requireLoginPassword(password);
  const network = networkOf(address);
  const keys = throttleKeys(username, network);
  // The first check comes before the queue: delayed tries must not fill it.
  await admitTry(deps, keys);
  // An invalid name is not looked up, but costs a hash like any other.
  const user = isUsername(username) ? await findUserByName(deps.db, username) : undefined;
  const { matches, admission } = await deps.passwords.inTurn(network, async (compare) => {
    // The second check. The failure is counted within the same turn, so of many concurrent tries those behind the failures do not
    // reach the hash.
    const admission = await admitTry(deps, keys);
    // No transaction is open here: a try that waits for its hash must not hold a connection.
    const matches = await compare(user?.passwordHash, password);
    if (!matches) await recordFailure(deps, keys);
    return { matches, admission };
  });
  if (!user || !matches) {
    deps.onFailure(user?.id);
    throw refusalOf(admission);
  }
  const sign = await deps.accessTokenSigner();
  return inTransaction(deps.db, async (trx) => {
    await recordSuccess(trx, { keys, userId: user.id, loginAt: deps.now(), admission });
    const refreshToken = await beginSession(deps, trx, user.id);
    // A password reset waits until this session is stored and then revokes it, or was committed and is seen here (see lockUser).
    const current = await findUserByName(trx, username);
    if (current?.passwordHash !== user.passwordHash) {
      deps.onFailure(user.id);
      throw invalidCredentials();
    }
    return { ...sign(current), refreshToken };
  });
}

/** Returns the first refresh token of the session. */
async function beginSession(deps: LoginDeps, trx: Transaction<Database>, userId: string): Promise<string> {
  const { text, familyHash, tokenHash } = newRefreshToken(newFamilySecret());
  const now = deps.now();
  await insertFamily(trx, {
    id: deps.newFamilyId(),
    userId,
    secretHash: familyHash,
    tokenHash,
    createdAt: now,
    expiresAt: expiryOf(now, now, deps.sessions),
  });
  return text;
}

/**
 * Returns TOO_MANY_LOGINS to a known pair if an unknown pair would have had to wait. Otherwise the error would show which names
 * log in from this network.
 */
function refusalOf({ skippedMs }: Admission): Error {
  return skippedMs > 0 ? tooManyLogins(skippedMs) : invalidCredentials();
}
