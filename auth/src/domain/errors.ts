/** All expected errors of auth. The reasons are part of the contract. */
import { ReasonedError, type Violation } from '@payflowx/chassis/errors';

export type AuthReason =
  | 'INVALID_ARGUMENT'
  | 'INVALID_CREDENTIALS'
  | 'INVALID_REFRESH_TOKEN'
  | 'TOO_MANY_LOGINS'
  | 'USER_NOT_FOUND'
  | 'USERNAME_TAKEN'
  | 'VERSION_MISMATCH'
  | 'LAST_OPERATOR'
  | 'PASSWORD_CHANGE_REQUIRED'
  | 'SESSION_NOT_FOUND'
  | 'SECOND_FACTOR_REQUIRED'
  | 'INVALID_SECOND_FACTOR'
  | 'SECOND_FACTOR_NOT_FOUND'
  | 'TOO_MANY_SECOND_FACTORS'
  | 'LAST_SECOND_FACTOR'
  | 'PASSKEYS_NOT_AVAILABLE'
  | 'LOGIN_TOO_OLD'
  | 'INVALID_CONFIRMATION_TOKEN'
  | 'NO_EMAIL_TO_CONFIRM'
  | 'TOO_MANY_CONFIRMATIONS'
  | 'CONFIRMATION_NOT_FOUND'
  | 'REQUEST_ID_REUSED'
  | 'API_CLIENT_NOT_FOUND'
  | 'API_CLIENT_REVOKED'
  | 'INVALID_CLIENT_ASSERTION'
  | 'INVALID_SCOPE'
  | 'CLIENT_KEY_REQUIRED'
  | 'CLIENT_KEY_EXISTS'
  | 'CLIENT_KEY_NOT_FOUND'
  | 'TOO_MANY_CLIENT_KEYS';

export class AuthError extends ReasonedError<AuthReason> {}

/** One error for an unknown name and a wrong password, so that callers cannot find out which names exist. */
export function invalidCredentials(): AuthError {
  return new AuthError('INVALID_CREDENTIALS', 'The name or the password is wrong.');
}

/** One error for an unknown, an expired, a spent and a revoked token: the user must log in again in any case. */
export function invalidRefreshToken(): AuthError {
  return new AuthError('INVALID_REFRESH_TOKEN', 'The refresh token is not valid. Log in again.');
}

/** One error for a full queue and for a delay: the caller can only wait in both cases. */
export function tooManyLogins(retryAfterMs: number): AuthError {
  return new AuthError('TOO_MANY_LOGINS', 'Too many logins. Try again later.', { retryAfterMs });
}

/** The message names the fields, because the operator's command prints only the message. */
export function invalid(violations: readonly Violation[]): AuthError {
  const text = violations.map(({ field, description }) => `${field} ${description}`).join('; ');
  return new AuthError('INVALID_ARGUMENT', `${text}.`, { violations });
}
