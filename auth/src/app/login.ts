/** Exchanges a name and a password, and a second factor if the user has one, for a token pair, the first of its family. */
import { SECOND_FACTOR_SETUP } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Transaction } from 'kysely';
import { AuthError } from '../domain/errors.ts';
import { type FactorPolicy, standingOf } from '../domain/factor-policy.ts';
import { secondFactorKey } from '../domain/login-throttle.ts';
import { type PasskeyFault, type PasskeyPolicy, readAuthentication } from '../domain/passkey.ts';
import { expiryOf, newFamilySecret, newRefreshToken, type RefreshPolicy } from '../domain/refresh-token.ts';
import {
  CHALLENGE_LIFETIME_MS,
  hashChallenge,
  invalidSecondFactor,
  type LoginChallenge,
  loginMethods,
  newChallenge,
  secondFactorRequired,
} from '../domain/second-factor.ts';
import type { Database } from '../store/database.ts';
import { insertFamily } from '../store/refresh-families.ts';
import {
  countRecoveryCodes,
  findChallenge,
  insertChallenge,
  listFactors,
  useChallenge,
} from '../store/second-factors.ts';
import { lockUserForLogin, type UserForLogin, updateLastLogin } from '../store/users.ts';
import type { AccessToken, AccessTokenSigner, SignAccessToken } from './access-tokens.ts';
import { admitGuess, guessesIn } from './login-throttle.ts';
import { askForPasskey } from './passkeys.ts';
import {
  type Credentials,
  lockProved,
  type ProofDeps,
  provePassword,
  recordProof,
  refuseProof,
} from './prove-password.ts';
import { type FactorDeps, useSecondFactor } from './second-factors.ts';

export interface TokenPair extends AccessToken {
  refreshToken: string;
}

interface SessionDeps {
  accessTokenSigner: AccessTokenSigner;
  sessions: RefreshPolicy;
  factorPolicy: FactorPolicy;
  newFamilyId(): string;
}

type LoginDeps = ProofDeps & SessionDeps & { passkeys: PasskeyPolicy | undefined };

/** Throws INVALID_CREDENTIALS, TOO_MANY_LOGINS, PASSWORD_CHANGE_REQUIRED, SECOND_FACTOR_REQUIRED. */
export async function login(deps: LoginDeps, credentials: Credentials): Promise<TokenPair> {
  const proof = await provePassword(deps, credentials);
  const sign = await deps.accessTokenSigner();
  const outcome = await inTransaction(deps.db, async (trx) => {
    const user = await lockProved(deps, trx, proof);
    const now = deps.now();
    requireOwnPassword(user, now, () => refuseProof(deps, proof));
    await recordProof(trx, proof, now);
    if (user.hasSecondFactor) return challengeFor(deps, trx, user, now);
    return beginSession(deps, trx, { user, sign, now, secondFactor: false });
  });
  // Thrown after the commit: inside the transaction it would roll the challenge back.
  if ('challenge' in outcome) throw secondFactorRequired(outcome);
  return outcome;
}

function requireOwnPassword({ oneTimeUntil }: UserForLogin, now: Date, expired: () => Error): void {
  if (!oneTimeUntil) return;
  if (oneTimeUntil <= now) throw expired();
  throw new AuthError('PASSWORD_CHANGE_REQUIRED', 'This password works once: replace it by one of your own.');
}

async function challengeFor(
  { passkeys }: LoginDeps,
  trx: Transaction<Database>,
  { id, passwordHash }: UserForLogin,
  now: Date,
): Promise<LoginChallenge> {
  const challenge = newChallenge();
  await insertChallenge(trx, {
    challenge_hash: hashChallenge(challenge),
    user_id: id,
    password_hash: passwordHash,
    expires_at: new Date(now.getTime() + CHALLENGE_LIFETIME_MS),
  });
  const passkeyOptions = passkeys && (await askForPasskey(trx, passkeys, { userId: id, challenge }));
  const factors = await listFactors(trx, id);
  const methods = loginMethods({
    totp: factors.some(({ kind, confirmedAt }) => kind === 'totp' && confirmedAt),
    passkey: passkeyOptions !== undefined,
    recovery_code: (await countRecoveryCodes(trx, id)) > 0,
  });
  return { challenge, methods, passkeyOptions };
}

/** One of the three is given. */
interface Completion {
  challenge: string;
  code: string;
  recoveryCode: string;
  passkeyJson?: string | undefined;
}

type OnFailure = (userId: string | undefined, fault?: PasskeyFault) => void;

/** Throws INVALID_ARGUMENT, INVALID_SECOND_FACTOR, TOO_MANY_LOGINS. `onFailure` is called when the code or the passkey is wrong. */
export async function completeLogin(
  deps: SessionDeps & FactorDeps & { onFailure: OnFailure },
  { challenge, code, recoveryCode, passkeyJson = '' }: Completion,
): Promise<TokenPair> {
  const passkey = passkeyJson === '' ? undefined : readAuthentication(passkeyJson);
  const proof = { code, recoveryCode, passkey };
  const hash = hashChallenge(challenge);
  const known = await findChallenge(deps.db, hash, deps.now());
  if (!known) throw refusedFactor(deps, undefined);
  const { user_id: userId, password_hash: passwordHash } = known;
  const key = secondFactorKey(userId);
  await admitGuess(deps, key);
  const sign = await deps.accessTokenSigner();
  const outcome = await inTransaction(deps.db, async (trx) => {
    const user = await lockUserForLogin(trx, userId);
    const guesses = guessesIn(trx, deps, key);
    await guesses.admit();
    const isProved = user?.passwordHash === passwordHash && user.state !== 'disabled';
    const fault = isProved ? await useSecondFactor(deps, trx, { userId, challenge, proof }) : 'WRONG_CODE';
    if (!isProved || fault) {
      await guesses.countFailure();
      return fault;
    }
    // Of two requests with one challenge the second waits here for the first, finds the challenge used, and is rolled back.
    if (!(await useChallenge(trx, hash))) throw refusedFactor(deps, userId);
    await guesses.forget();
    return beginSession(deps, trx, { user, sign, now: deps.now(), secondFactor: true });
  });
  if (typeof outcome === 'object') return outcome;
  throw refusedFactor(deps, userId, outcome === 'WRONG_CODE' ? undefined : outcome);
}

function refusedFactor(
  deps: { onFailure: OnFailure },
  userId: string | undefined,
  fault?: PasskeyFault,
): Error {
  deps.onFailure(userId, fault);
  return invalidSecondFactor();
}

async function beginSession(
  deps: SessionDeps,
  trx: Transaction<Database>,
  begin: { user: UserForLogin; sign: SignAccessToken; now: Date; secondFactor: boolean },
): Promise<TokenPair> {
  const { user, sign, now, secondFactor } = begin;
  const { text, familyHash, tokenHash } = newRefreshToken(newFamilySecret());
  const session = { id: deps.newFamilyId(), loggedInAt: now };
  await insertFamily(trx, {
    id: session.id,
    userId: user.id,
    secretHash: familyHash,
    tokenHash,
    secondFactor,
    createdAt: now,
    expiresAt: expiryOf(now, now, deps.sessions),
  });
  await updateLastLogin(trx, user.id, now);
  const isSetup = standingOf(user, { secondFactor }, deps.factorPolicy) === 'setup';
  const restrictedTo = isSetup ? SECOND_FACTOR_SETUP : undefined;
  return { ...sign({ ...user, session, restrictedTo }), refreshToken: text };
}
