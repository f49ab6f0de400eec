/** All expected errors of auth. The reasons are part of the contract. */

export type AuthReason =
  | 'INVALID_ARGUMENT'
  | 'INVALID_CREDENTIALS'
  | 'INVALID_REFRESH_TOKEN'
  | 'TOO_MANY_LOGINS'
  | 'USER_NOT_FOUND'
  | 'USERNAME_TAKEN'
  | 'REQUEST_ID_REUSED'
  | 'API_CLIENT_NOT_FOUND'
  | 'API_CLIENT_REVOKED';

export interface Violation {
  /** The field's name in the contract's request message. */
  field: string;
  description: string;
}

export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly reason: AuthReason;
  readonly violations?: Violation[];
  readonly retryAfterMs?: number;

  constructor(
    reason: AuthReason,
    message: string,
    details: { violations?: Violation[]; retryAfterMs?: number } = {},
  ) {
    super(message);
    this.reason = reason;
    if (details.violations) this.violations = details.violations;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
  }
}

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

/** Throws INVALID_ARGUMENT with the violations among `checks`. */
export function refuse(checks: (Violation | false)[]): void {
  const violations = checks.filter((check) => check !== false);
  if (violations.length === 0) return;
  const text = violations.map(({ field, description }) => `${field} ${description}`).join('; ');
  throw new AuthError('INVALID_ARGUMENT', `${text}.`, { violations });
}
