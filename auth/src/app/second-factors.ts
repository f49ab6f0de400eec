/** Second factors of a user: made, confirmed, removed, and used to complete a login. */
import type { Keys, Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import { seal, unseal } from '@payflowx/chassis/sealing';
import type { Kysely, Transaction } from 'kysely';
import { AuthError } from '../domain/errors.ts';
import { type FactorPolicy, needsSecondFactor } from '../domain/factor-policy.ts';
import { secondFactorKey } from '../domain/login-throttle.ts';
import {
  type PasskeyFault,
  type PasskeyPolicy,
  type readAuthentication,
  readRegistration,
  refusedRegistration,
  requirePasskeys,
} from '../domain/passkey.ts';
import {
  describeTotp,
  FACTORS_MAX,
  type FactorKind,
  type FactorProof,
  hashRecoveryCode,
  invalidSecondFactor,
  newRecoveryCodes,
  newTotpSecret,
  requireFittingProof,
  requireNewFactor,
  type SecondFactor,
  stepOfCode,
} from '../domain/second-factor.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import { recordSecondFactor } from '../store/refresh-families.ts';
import {
  confirmFactor,
  countRecoveryCodes,
  deleteFactor,
  deleteFactors,
  insertFactor,
  listFactors,
  type SealedFactor,
  saveRecoveryCodes,
  setHasSecondFactor,
  useRecoveryCode,
  useStep,
} from '../store/second-factors.ts';
import { findUser, lockUser } from '../store/users.ts';
import { userNotFound } from './get-user.ts';
import { admitGuess, guessesIn } from './login-throttle.ts';
import { beginPasskey, storePasskey, usePasskey } from './passkeys.ts';
import { endSessions } from './sessions.ts';

export interface FactorDeps {
  db: Kysely<Database>;
  sealingKey: Keys;
  factorPolicy: FactorPolicy;
  passkeys: PasskeyPolicy | undefined;
  now(): Date;
}

/** The caller of a change of its own factors. */
export interface FactorCaller {
  origin: Origin;
  sessionId: string | undefined;
  /** The session may only set up a second factor, because its user had none. */
  isSetup: boolean;
}

/** The user confirms an app with its secret, and a passkey with the options for the browser. */
type Setup = { secret: string; uri: string } | { passkeyOptions: string };

/** Throws INVALID_ARGUMENT, USER_NOT_FOUND, TOO_MANY_SECOND_FACTORS, PASSKEYS_NOT_AVAILABLE, LOGIN_TOO_OLD. */
export async function createSecondFactor(
  { db, sealingKey, passkeys, now }: FactorDeps,
  caller: FactorCaller,
  { id, name, ...wanted }: { id: string; kind: string; name: string },
): Promise<{ factor: SecondFactor } & Setup> {
  const kind = requireNewFactor({ ...wanted, name });
  const policy = kind === 'passkey' ? requirePasskeys(passkeys) : undefined;
  return inTransaction(db, async (trx) => {
    const { origin } = caller;
    const user = await lockCaller(trx, caller);
    if ((await listFactors(trx, user.id)).length >= FACTORS_MAX) {
      throw new AuthError('TOO_MANY_SECOND_FACTORS', `A user has at most ${FACTORS_MAX} second factors.`);
    }
    const factor = { id, kind, name, createdAt: now(), confirmedAt: null, lastUsedAt: null };
    const secret = policy ? undefined : newTotpSecret();
    const sealedSecret = secret ? seal(secret, id, sealingKey) : null;
    await insertFactor(trx, { ...factor, userId: user.id, sealedSecret });
    await record(trx, origin, 'second_factor.created', {
      userId: user.id,
      now: factor.createdAt,
      factor_id: id,
      kind,
    });
    if (secret) return { factor, ...describeTotp(secret, user.username) };
    const begin = { factorId: id, user, now: factor.createdAt };
    return { factor, passkeyOptions: await beginPasskey(trx, requirePasskeys(policy), begin) };
  });
}

/**
 * Returns new recovery codes. The session gets all rights of the user at its next refresh. Throws INVALID_ARGUMENT,
 * SECOND_FACTOR_NOT_FOUND, INVALID_SECOND_FACTOR, TOO_MANY_LOGINS, PASSKEYS_NOT_AVAILABLE, LOGIN_TOO_OLD.
 */
export async function confirmSecondFactor(
  deps: FactorDeps,
  caller: FactorCaller,
  { factorId, ...proof }: FactorProof & { factorId: string },
): Promise<{ factor: SecondFactor; recoveryCodes: string[] }> {
  const { origin } = caller;
  const key = secondFactorKey(origin.callerId);
  await admitGuess(deps, key);
  const outcome = await inTransaction(deps.db, async (trx) => {
    const user = await lockCaller(trx, caller);
    const guesses = guessesIn(trx, deps, key);
    await guesses.admit();
    const factor = (await listFactors(trx, origin.callerId)).find(({ id }) => id === factorId);
    if (!factor) throw factorNotFound();
    const now = deps.now();
    const fault = await proofFault(deps, trx, { factor, proof, now });
    if (fault) {
      await guesses.countFailure();
      return fault;
    }
    await guesses.forget();
    const recoveryCodes = newRecoveryCodes();
    await confirmFactor(trx, factorId, now);
    await setHasSecondFactor(trx, origin.callerId, true);
    await saveRecoveryCodes(trx, origin.callerId, recoveryCodes.map(hashRecoveryCode));
    await record(trx, origin, 'second_factor.confirmed', {
      userId: origin.callerId,
      now,
      factor_id: factorId,
      kind: factor.kind,
      name: factor.name,
    });
    await raiseSession(trx, caller, { isFirst: !user.hasSecondFactor, now });
    return { factor: { ...factor, confirmedAt: now }, recoveryCodes };
  });
  if (typeof outcome === 'object') return outcome;
  throw outcome === 'WRONG_CODE' ? invalidSecondFactor() : refusedRegistration(outcome);
}

/** Why the proof is refused; undefined if it was right, and is used. Throws INVALID_ARGUMENT, PASSKEYS_NOT_AVAILABLE. */
async function proofFault(
  deps: FactorDeps,
  trx: Transaction<Database>,
  { factor, proof, now }: { factor: SealedFactor; proof: FactorProof; now: Date },
): Promise<PasskeyFault | 'WRONG_CODE' | undefined> {
  const { code, passkeyJson } = requireFittingProof(factor.kind, proof);
  if (factor.kind === 'totp')
    return (await useCode(deps, trx, { factor, code, now })) ? undefined : 'WRONG_CODE';
  const response = readRegistration(passkeyJson);
  return storePasskey(trx, requirePasskeys(deps.passkeys), { factorId: factor.id, response, now });
}

export async function listSecondFactors(
  { db }: FactorDeps,
  userId: string,
): Promise<{ factors: SecondFactor[]; recoveryCodesLeft: number }> {
  return { factors: await listFactors(db, userId), recoveryCodesLeft: await countRecoveryCodes(db, userId) };
}

/** Throws SECOND_FACTOR_NOT_FOUND, LAST_SECOND_FACTOR, LOGIN_TOO_OLD. */
export async function deleteSecondFactor(
  { db, factorPolicy, now }: FactorDeps,
  caller: FactorCaller,
  factorId: string,
): Promise<void> {
  const { origin } = caller;
  await inTransaction(db, async (trx) => {
    const user = await lockCaller(trx, caller);
    if (!(await deleteFactor(trx, origin.callerId, factorId))) throw factorNotFound();
    const left = (await listFactors(trx, origin.callerId)).some(({ confirmedAt }) => confirmedAt);
    // Thrown after the delete, which is then rolled back.
    if (user.hasSecondFactor && !left && needsSecondFactor(user, factorPolicy)) {
      throw new AuthError(
        'LAST_SECOND_FACTOR',
        'Your role needs a second factor: add another one before you remove this one.',
      );
    }
    await setHasSecondFactor(trx, origin.callerId, left);
    if (!left) await saveRecoveryCodes(trx, origin.callerId, []);
    await record(trx, origin, 'second_factor.removed', {
      userId: origin.callerId,
      now: now(),
      factor_id: factorId,
    });
  });
}

/** For a user who lost them. Throws USER_NOT_FOUND. */
export async function deleteSecondFactorsOf(
  { db, now }: FactorDeps,
  { origin, userId }: { origin: Origin; userId: string },
): Promise<void> {
  await inTransaction(db, async (trx) => {
    await lockKnown(trx, userId);
    if ((await deleteFactors(trx, userId)) === 0n) return;
    await setHasSecondFactor(trx, userId, false);
    await saveRecoveryCodes(trx, userId, []);
    await record(trx, origin, 'second_factor.removed', { userId, now: now(), factor_id: 'all' });
  });
}

/** The user's answer to a challenge. The first that is given counts: recovery code, passkey, code. */
export interface LoginProof {
  recoveryCode: string;
  passkey: ReturnType<typeof readAuthentication> | undefined;
  code: string;
}

/** Why the login is refused. Undefined if the proof is a confirmed factor or a recovery code of the user; it is then used. */
export async function useSecondFactor(
  deps: FactorDeps,
  trx: Transaction<Database>,
  { userId, challenge, proof }: { userId: string; challenge: string; proof: LoginProof },
): Promise<PasskeyFault | 'WRONG_CODE' | undefined> {
  const { recoveryCode, passkey: response, code } = proof;
  const now = deps.now();
  if (recoveryCode !== '')
    return (await useRecoveryCode(trx, userId, hashRecoveryCode(recoveryCode))) ? undefined : 'WRONG_CODE';
  if (response) {
    if (!deps.passkeys) return 'PASSKEY_UNKNOWN';
    return usePasskey(trx, deps.passkeys, { userId, challenge, response, now });
  }
  for (const factor of await listFactors(trx, userId)) {
    if (factor.confirmedAt && (await useCode(deps, trx, { factor, code, now }))) return undefined;
  }
  return 'WRONG_CODE';
}

async function useCode(
  { sealingKey }: FactorDeps,
  trx: Transaction<Database>,
  { factor, code, now }: { factor: SealedFactor; code: string; now: Date },
): Promise<boolean> {
  // A passkey shows no codes.
  if (!factor.sealedSecret) return false;
  const secret = unseal(factor.sealedSecret, factor.id, sealingKey);
  const step = stepOfCode(secret, code, factor.lastStep, now);
  return step !== undefined && (await useStep(trx, factor.id, step));
}

/** Throws USER_NOT_FOUND, LOGIN_TOO_OLD. */
async function lockCaller(trx: Transaction<Database>, { origin, isSetup }: FactorCaller) {
  const user = await lockKnown(trx, origin.callerId);
  // Another session of the user was first. A session without its factor must not change it.
  if (isSetup && user.hasSecondFactor) {
    throw new AuthError('LOGIN_TOO_OLD', 'You have a second factor meanwhile: log in again with it.');
  }
  return user;
}

/**
 * The session has now used a second factor. If it is the first one of the user, all other sessions end: they began with the password alone.
 * They may be those of an attacker, who could also remove the factor. It must come last in its transaction.
 */
async function raiseSession(
  trx: Transaction<Database>,
  { origin, sessionId }: FactorCaller,
  { isFirst, now }: { isFirst: boolean; now: Date },
): Promise<void> {
  if (sessionId !== undefined) await recordSecondFactor(trx, { userId: origin.callerId, sessionId });
  if (!isFirst) return;
  await endSessions(trx, { userId: origin.callerId, except: sessionId }, { reason: 'revoked', now });
}

/** One change of a user's factors at a time. */
async function lockKnown(trx: Transaction<Database>, userId: string) {
  await lockUser(trx, userId);
  const user = await findUser(trx, userId);
  if (!user) throw userNotFound();
  return user;
}

function factorNotFound(): AuthError {
  return new AuthError('SECOND_FACTOR_NOT_FOUND', 'The second factor does not exist, or it is not yours.');
}

type FactorAction = 'second_factor.created' | 'second_factor.confirmed' | 'second_factor.removed';

async function record(
  trx: Transaction<Database>,
  origin: Origin,
  action: FactorAction,
  {
    userId,
    now,
    ...details
  }: { userId: string; now: Date; factor_id: string; kind?: FactorKind; name?: string },
): Promise<void> {
  await insertAuditRecord(trx, origin, { action, subjectId: userId, details }, now);
}
