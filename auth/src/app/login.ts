/** A name and a password for a token pair, the first of its family. */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { networkOf } from '../domain/client-address.ts';
import { invalidCredentials } from '../domain/errors.ts';
import { throttleKeys } from '../domain/login-throttle.ts';
import { hashRefreshToken, newRefreshToken } from '../domain/refresh-token.ts';
import { isUsername, requireLoginPassword } from '../domain/user.ts';
import type { Database } from '../store/database.ts';
import { deleteFailureCounts } from '../store/login-throttles.ts';
import { insertFamily } from '../store/refresh-tokens.ts';
import { findUserByName } from '../store/users.ts';
import type { AccessToken, IssueAccessToken } from './access-tokens.ts';
import { recordFailure, requireNoDelay } from './login-throttle.ts';
import type { PasswordHasher } from './password-hasher.ts';

export interface TokenPair extends AccessToken {
  refreshToken: string;
}

interface LoginDeps {
  db: Kysely<Database>;
  passwords: Pick<PasswordHasher, 'inTurn'>;
  issueAccessToken: IssueAccessToken;
  refreshLifetimeMs: number;
  now(): Date;
  newFamilyId(): string;
}

interface LoginRequest {
  username: string;
  password: string;
  /** The IP address that the login comes from. */
  address: string;
}

/** Throws INVALID_CREDENTIALS, the same and after the same time whether or not the user exists; TOO_MANY_LOGINS, likewise. */
export async function login(
  deps: LoginDeps,
  { username, password, address }: LoginRequest,
): Promise<TokenPair> {
  requireLoginPassword(password);
  const network = networkOf(address);
  const { pair, account, address: source } = throttleKeys(username, network);
  const keys = [pair, account, source];
  // Before it waits for a turn: who is delayed anyway must not fill the queue.
  await requireNoDelay(deps, keys);
  // What can't be a name is not looked up, but costs a hash like any other.
  const user = isUsername(username) ? await findUserByName(deps.db, username) : undefined;
  const matches = await deps.passwords.inTurn(network, async (compare) => {
    // Again, and the failure is counted within the turn: of many tries at once, those behind the failures don't get to the hash.
    await requireNoDelay(deps, keys);
    // No transaction is open here: waiting for a hash must not hold a connection.
    const same = await compare(user?.passwordHash, password);
    if (!same) await recordFailure(deps, keys);
    return same;
  });
  if (!user || !matches) throw invalidCredentials();
  const refreshToken = newRefreshToken();
  const now = deps.now();
  await inTransaction(deps.db, async (trx) => {
    // The address keeps its count: otherwise a good login of one's own would pay for guesses at others'.
    await deleteFailureCounts(trx, [pair, account]);
    await insertFamily(trx, {
      id: deps.newFamilyId(),
      userId: user.id,
      tokenHash: hashRefreshToken(refreshToken),
      issuedAt: now,
      expiresAt: new Date(now.getTime() + deps.refreshLifetimeMs),
    });
  });
  return { ...(await deps.issueAccessToken(user)), refreshToken };
}
