/** Second factors: codes of authenticator apps (RFC 6238), recovery codes, and challenges. Pure but for the random bits. */
import { createHash, randomBytes } from 'node:crypto';
import { collectViolations } from '@payflowx/chassis/errors';
import { Secret, TOTP } from 'otpauth';
import { AuthError, invalid } from './errors.ts';

/** An authenticator app, or a passkey. */
export type FactorKind = 'totp' | 'passkey';

/** A factor of a user besides the password. Logins need one of the confirmed ones. */
export interface SecondFactor {
  id: string;
  kind: FactorKind;
  name: string;
  createdAt: Date;
  confirmedAt: Date | null;
  /** Of a passkey. */
  lastUsedAt: Date | null;
}

export const FACTORS_MAX = 10;
export const CHALLENGE_LIFETIME_MS = 5 * 60_000;
const RECOVERY_CODES = 10;
const STEP_MS = 30_000;
/** A code is accepted one step early or late: clocks differ, and people type slowly (RFC 6238, 5.2). */
const WINDOW = 1;

export function newTotpSecret(): Buffer {
  return randomBytes(20);
}

/** The secret as people type it, and as an address for a QR code. */
export function describeTotp(secret: Buffer, username: string): { secret: string; uri: string } {
  const totp = totpOf(secret, username);
  return { secret: totp.secret.base32, uri: totp.toString() };
}

/** Returns the time step of a right code; undefined for a wrong one. A step up to `lastStep` was used before. */
export function stepOfCode(secret: Buffer, code: string, lastStep: bigint, now: Date): bigint | undefined {
  const timestamp = now.getTime();
  const delta = totpOf(secret, '').validate({ token: code, timestamp, window: WINDOW });
  if (delta === null) return undefined;
  const step = BigInt(Math.floor(timestamp / STEP_MS) + delta);
  return step > lastStep ? step : undefined;
}

function totpOf(secret: Buffer, label: string): TOTP {
  // The defaults that every app knows: SHA-1, six digits, 30 seconds.
  return new TOTP({
    issuer: 'PayFlowX',
    label,
    secret: new Secret({ buffer: new Uint8Array(secret).buffer }),
  });
}

/** 80 random bits each. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () =>
    randomBytes(10)
      .toString('hex')
      .replace(/(.{5})(?=.)/g, '$1-'),
  );
}

export function hashRecoveryCode(code: string): Buffer {
  return hashOf(code.toLowerCase().replaceAll(/[\s-]/g, ''));
}

export function newChallenge(): string {
  return randomBytes(32).toString('base64url');
}

export function hashChallenge(challenge: string): Buffer {
  return hashOf(challenge);
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** One error for a code or a passkey that is wrong or was used, and a challenge that is unknown, used or expired. */
export function invalidSecondFactor(): AuthError {
  return new AuthError(
    'INVALID_SECOND_FACTOR',
    'The code or the passkey is wrong or was used, or the login took too long.',
  );
}

/** The question of a login after the password. */
export interface LoginChallenge {
  challenge: string;
  methods: readonly LoginMethod[];
  /** JSON for the browser, if a passkey is possible. */
  passkeyOptions: string | undefined;
}

type LoginMethod = FactorKind | 'recovery_code';

/** How the user can complete a login. */
export function loginMethods(possible: Record<LoginMethod, boolean>): LoginMethod[] {
  const { totp, passkey, recovery_code } = possible;
  return [
    ...(passkey ? (['passkey'] as const) : []),
    ...(totp ? (['totp'] as const) : []),
    ...(recovery_code ? (['recovery_code'] as const) : []),
  ];
}

export function secondFactorRequired({ challenge, methods, passkeyOptions }: LoginChallenge): AuthError {
  return new AuthError(
    'SECOND_FACTOR_REQUIRED',
    'The password is right. Complete the login with a second factor.',
    {
      metadata: {
        challenge,
        methods: methods.join(','),
        ...(passkeyOptions !== undefined && { passkey_options: passkeyOptions }),
      },
    },
  );
}

/** Throws INVALID_ARGUMENT. */
export function requireNewFactor({ kind, name }: { kind: string; name: string }): FactorKind {
  const known = (['totp', 'passkey'] as const).find((each) => each === kind);
  const violations = collectViolations(invalid);
  violations.require(known !== undefined, 'kind', 'must be totp or passkey');
  violations.require(/^\P{C}{1,100}$/u.test(name), 'name', 'must be 1 to 100 printable characters');
  violations.throwIfAny();
  return known as FactorKind;
}

/** The proof that confirms a factor: an app's code, or a passkey's response. */
export interface FactorProof {
  code: string;
  passkeyJson: string | undefined;
}

/** The proof must be that of the factor's kind. Throws INVALID_ARGUMENT. */
export function requireFittingProof(
  kind: FactorKind,
  { code, passkeyJson = '' }: FactorProof,
): { code: string; passkeyJson: string } {
  const violations = collectViolations(invalid);
  const isPasskey = passkeyJson !== '';
  if (kind === 'totp')
    violations.require(!isPasskey, 'code', 'is needed: the factor is an authenticator app');
  else violations.require(isPasskey, 'passkey_json', 'is needed: the factor is a passkey');
  violations.throwIfAny();
  return { code, passkeyJson };
}
