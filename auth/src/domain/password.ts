/** The rules for new passwords, and one-time passwords. */
import { randomBytes } from 'node:crypto';
import { isCommonPassword } from './common-passwords.ts';

/** NIST SP 800-63B: the length counts; there are no rules about characters. */
const PASSWORD_MIN = 12;
/** Enough for any passphrase, and a limit on the bytes that one login makes the service hash. */
export const PASSWORD_MAX = 256;
/** An unused one-time password must not stay valid for ever. */
export const ONE_TIME_LIFETIME_MS = 24 * 60 * 60_000;

/** Returns why it may not be a new password; undefined if it may. */
export function passwordProblem(password: string): string | undefined {
  const fits = password.length >= PASSWORD_MIN && password.length <= PASSWORD_MAX;
  if (!fits) return `must be ${PASSWORD_MIN} to ${PASSWORD_MAX} characters long`;
  return isCommonPassword(password) ? 'must not be a common password' : undefined;
}

/** 120 random bits in groups that can be read out. */
export function newOneTimePassword(): string {
  // 32 characters that are not confused with each other: 5 bits each.
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
  const characters = [...randomBytes(24)].map((byte) => alphabet[byte % alphabet.length]).join('');
  return characters.replace(/(.{6})(?=.)/g, '$1-');
}
