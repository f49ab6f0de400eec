/** Checks a name and a password, throttled. The first step of everything that a caller without a token can do. */
import type { Kysely, Transaction } from 'kysely';
import { networkOf } from '../domain/client-address.ts';
import { invalidCredentials, tooManyLogins } from '../domain/errors.ts';
import { type ThrottleKeys, throttleKeys } from '../domain/login-throttle.ts';
import { isUsername, requireLoginPassword } from '../domain/user.ts';
import type { Database } from '../store/database.ts';
import { findUserByName, lockUserForLogin, type UserForLogin } from '../store/users.ts';
import { type Admission, admitTry, recordFailure, recordSuccess } from './login-throttle.ts';
import type { PasswordHasher } from './password-hasher.ts';

export interface ProofDeps {
  db: Kysely<Database>;
  passwords: Pick<PasswordHasher, 'inTurn'>;
  now(): Date;
  /** Called when the name or the password is wrong. The id is undefined if no user has the name. */
  onFailure(userId: string | undefined): void;
}

export interface Credentials {
  username: string;
  password: string;
  /** The IP address of the caller. */
  address: string;
}

/** A password that was right a moment ago. */
export interface Proof {
  userId: string;
  passwordHash: string;
  network: string;
  keys: ThrottleKeys;
  admission: Admission;
}

/** Throws INVALID_CREDENTIALS or TOO_MANY_LOGINS. Error and response time are the same whether or not the user exists. */
export async function provePassword(
  deps: ProofDeps,
  { username, password, address }: Credentials,
): Promise<Proof> {
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
  return { userId: user.id, passwordHash: user.passwordHash, network, keys, admission };
}

/**
 * Locks the user of the proof. A password reset, or the end of the user's rights, waits until this transaction has stored its session,
 * and then revokes it. Or it was committed before, and is seen here. Throws as `provePassword`.
 */
export async function lockProved(
  deps: ProofDeps,
  trx: Transaction<Database>,
  proof: Proof,
): Promise<UserForLogin> {
  const user = await lockUserForLogin(trx, proof.userId);
  if (user?.passwordHash !== proof.passwordHash || user.state === 'disabled') throw refuseProof(deps, proof);
  return user;
}

/** The error for a right password that may not be used. It is that of a wrong one. */
export function refuseProof(deps: ProofDeps, { userId, admission }: Proof): Error {
  deps.onFailure(userId);
  return refusalOf(admission);
}

export async function recordProof(trx: Transaction<Database>, proof: Proof, loginAt: Date): Promise<void> {
  const { keys, userId, admission } = proof;
  await recordSuccess(trx, { keys, userId, loginAt, admission });
}

/**
 * Returns TOO_MANY_LOGINS to a known pair if an unknown pair would have had to wait. Otherwise the error would show which names
 * log in from this network.
 */
function refusalOf({ skippedMs }: Admission): Error {
  return skippedMs > 0 ? tooManyLogins(skippedMs) : invalidCredentials();
}
