/** Passwords: changed by their user, reset by an admin, and the one-time password of a reset replaced. */
import { collectViolations, type Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import type { AuditFact } from '../domain/audit.ts';
import { invalid, invalidCredentials } from '../domain/errors.ts';
import { ownPasswordKey } from '../domain/login-throttle.ts';
import { newOneTimePassword, ONE_TIME_LIFETIME_MS, passwordProblem } from '../domain/password.ts';
import { requireLoginPassword } from '../domain/user.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import type { EndReason } from '../store/refresh-families.ts';
import { findPasswordHash, findUser, lockUser, updatePassword } from '../store/users.ts';
import { userNotFound } from './get-user.ts';
import { admitGuess, forgetGuesses, recordGuess } from './login-throttle.ts';
import type { PasswordHasher } from './password-hasher.ts';
import {
  type Credentials,
  lockProved,
  type ProofDeps,
  provePassword,
  recordProof,
  refuseProof,
} from './prove-password.ts';
import { endSessions } from './sessions.ts';

interface Deps {
  db: Kysely<Database>;
  passwords: PasswordHasher;
  now(): Date;
}

/** A change of the user's own password keeps the session that it comes from. */
interface Change {
  origin: Origin;
  userId: string;
  passwordHash: string;
  oneTimeUntil?: Date;
  keptSession?: string | undefined;
}

/** Throws INVALID_ARGUMENT, INVALID_CREDENTIALS, TOO_MANY_LOGINS. `onFailure` is called when the current password is wrong. */
export async function changePassword(
  deps: Deps & { onFailure(): void },
  request: { origin: Origin; sessionId: string | undefined; currentPassword: string; newPassword: string },
): Promise<void> {
  const { origin, sessionId, currentPassword, newPassword } = request;
  requireLoginPassword(currentPassword);
  requireNewPassword(newPassword, currentPassword);
  const userId = origin.callerId;
  const key = ownPasswordKey(userId);
  const before = await findPasswordHash(deps.db, userId);
  const passwordHash = await deps.passwords.inTurn(userId, async (matches, hash) => {
    // Within the turn, so that of many concurrent guesses those behind the failures do not reach the hash.
    await admitGuess(deps, key);
    if (await matches(before, currentPassword)) return hash(newPassword);
    await recordGuess(deps, key);
    return undefined;
  });
  if (passwordHash === undefined) {
    deps.onFailure();
    throw invalidCredentials();
  }
  await inTransaction(deps.db, async (trx) => {
    await lockUser(trx, userId);
    if ((await findPasswordHash(trx, userId)) !== before) throw invalidCredentials();
    await forgetGuesses(trx, key);
    const change = { origin, userId, passwordHash, keptSession: sessionId };
    await storePassword(trx, change, {
      action: 'user.password_changed',
      reason: 'password-change',
      now: deps.now(),
    });
  });
}

/** Returns the password that works once, and the time until which it does. Throws USER_NOT_FOUND, TOO_MANY_LOGINS. */
export async function resetPassword(
  deps: Deps,
  { origin, userId }: { origin: Origin; userId: string },
): Promise<{ oneTimePassword: string; expiresAt: Date }> {
  const oneTimePassword = newOneTimePassword();
  const passwordHash = await deps.passwords.hash(origin.callerId, oneTimePassword);
  const now = deps.now();
  const expiresAt = new Date(now.getTime() + ONE_TIME_LIFETIME_MS);
  await inTransaction(deps.db, async (trx) => {
    // A login in progress has inserted its session or waits here, and then finds the new password.
    await lockUser(trx, userId);
    if (!(await findUser(trx, userId))) throw userNotFound();
    const change = { origin, userId, passwordHash, oneTimeUntil: expiresAt };
    await storePassword(trx, change, { action: 'user.password_reset', reason: 'password-reset', now });
  });
  return { oneTimePassword, expiresAt };
}

/** Throws INVALID_ARGUMENT, INVALID_CREDENTIALS, TOO_MANY_LOGINS. */
export async function replaceOneTimePassword(
  deps: Deps & ProofDeps,
  {
    newPassword,
    originOf,
    ...credentials
  }: Credentials & { newPassword: string; originOf(userId: string): Origin },
): Promise<void> {
  requireNewPassword(newPassword, credentials.password, 'one_time_password');
  const proof = await provePassword(deps, credentials);
  const passwordHash = await deps.passwords.hash(proof.network, newPassword);
  await inTransaction(deps.db, async (trx) => {
    // One replacement at a time: a concurrent one then finds another password.
    await lockUser(trx, proof.userId);
    const user = await lockProved(deps, trx, proof);
    const now = deps.now();
    if (!user.oneTimeUntil || user.oneTimeUntil <= now) throw refuseProof(deps, proof);
    await recordProof(trx, proof, now);
    const change = { origin: originOf(user.id), userId: user.id, passwordHash };
    await storePassword(trx, change, { action: 'user.password_changed', reason: 'password-change', now });
  });
}

async function storePassword(
  trx: Transaction<Database>,
  { origin, userId, passwordHash, oneTimeUntil, keptSession }: Change,
  { action, reason, now }: { action: AuditFact['action']; reason: EndReason; now: Date },
): Promise<void> {
  await updatePassword(trx, userId, { passwordHash, oneTimeUntil: oneTimeUntil ?? null });
  await insertAuditRecord(trx, origin, { action, subjectId: userId, details: {} }, now);
  await endSessions(trx, { userId, except: keptSession }, { reason, now });
}

function requireNewPassword(password: string, present: string, presentField = 'current_password'): void {
  const problem = passwordProblem(password);
  const violations = collectViolations(invalid);
  violations.require(problem === undefined, 'new_password', problem ?? '');
  violations.require(password !== present, 'new_password', `must differ from ${presentField}`);
  violations.throwIfAny();
}
