/** A name and a password for a token pair, the first of its family. */
import { inTransaction } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { invalidCredentials } from '../domain/errors.ts';
import { hashRefreshToken, newRefreshToken } from '../domain/refresh-token.ts';
import { isUsername, requireLoginPassword } from '../domain/user.ts';
import type { Database } from '../store/database.ts';
import { insertFamily } from '../store/refresh-tokens.ts';
import { findUserByName } from '../store/users.ts';
import type { AccessToken, IssueAccessToken } from './access-tokens.ts';
import type { PasswordHasher } from './password-hasher.ts';

export interface TokenPair extends AccessToken {
  refreshToken: string;
}

interface LoginDeps {
  db: Kysely<Database>;
  passwords: Pick<PasswordHasher, 'matches'>;
  issueAccessToken: IssueAccessToken;
  refreshLifetimeMs: number;
  now(): Date;
  newFamilyId(): string;
}

/** Throws INVALID_CREDENTIALS, the same and after the same time whether or not the user exists; TOO_MANY_LOGINS. */
export async function login(
  deps: LoginDeps,
  { username, password }: { username: string; password: string },
): Promise<TokenPair> {
  requireLoginPassword(password);
  // What can't be a name is not looked up, but costs a hash like any other.
  const user = isUsername(username) ? await findUserByName(deps.db, username) : undefined;
  // Between two statements, never inside a transaction: waiting for a hash must not hold a connection.
  const matches = await deps.passwords.matches(user?.passwordHash, password);
  if (!user || !matches) throw invalidCredentials();

  const refreshToken = newRefreshToken();
  const now = deps.now();
  await inTransaction(deps.db, (trx) =>
    insertFamily(trx, {
      id: deps.newFamilyId(),
      userId: user.id,
      tokenHash: hashRefreshToken(refreshToken),
      issuedAt: now,
      expiresAt: new Date(now.getTime() + deps.refreshLifetimeMs),
    }),
  );
  return { ...deps.issueAccessToken(user), refreshToken };
}
