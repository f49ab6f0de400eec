/** Users, and the rules for names, passwords and roles. */
import { refuse } from './errors.ts';

const USER_ROLES = ['auditor', 'customer', 'operator', 'admin'] as const;
/** The roles of a person. */
export type UserRole = (typeof USER_ROLES)[number];
/** The roles of a caller. Only API clients have `service`. */
export type Role = UserRole | 'service';

export interface User {
  id: string;
  username: string;
  roles: readonly UserRole[];
  createdAt: Date;
}

export interface NewUser {
  username: string;
  password: string;
  /** In a fixed order without duplicates, so that equal sets are equal lists. */
  roles: readonly UserRole[];
}

const USERNAME = /^[A-Za-z0-9._-]{3,64}$/;
/** NIST SP 800-63B: the length counts; there are no rules about characters. */
const PASSWORD_MIN = 12;
/** Enough for any passphrase, and a limit on the bytes that one login makes the service hash. */
const PASSWORD_MAX = 256;

export function isUsername(text: string): boolean {
  return USERNAME.test(text);
}

/** Validates a new user. Throws INVALID_ARGUMENT with all violations. */
export function newUser(wanted: { username: string; password: string; roles: readonly string[] }): NewUser {
  const { username, password } = wanted;
  const roles = userRoles(wanted.roles);
  refuse([
    !isUsername(username) && {
      field: 'username',
      description: 'must be 3 to 64 characters: letters, digits, dot, dash, underscore',
    },
    (password.length < PASSWORD_MIN || password.length > PASSWORD_MAX) && {
      field: 'password',
      description: `must be ${PASSWORD_MIN} to ${PASSWORD_MAX} characters long`,
    },
    roles.length === 0 && {
      field: 'roles',
      description: `must be at least one of ${USER_ROLES.join(', ')}`,
    },
  ]);
  return { username, password, roles };
}

/** Returns the roles in a fixed order without duplicates. Empty if there is none, or an unknown one. */
export function userRoles(wanted: readonly string[]): UserRole[] {
  const isKnown = wanted.every((role) => (USER_ROLES as readonly string[]).includes(role));
  return isKnown ? USER_ROLES.filter((role) => wanted.includes(role)) : [];
}

/** At login a short password is wrong, not malformed, so there is no lower bound. Throws INVALID_ARGUMENT. */
export function requireLoginPassword(password: string): void {
  const fits = password.length >= 1 && password.length <= PASSWORD_MAX;
  refuse([!fits && { field: 'password', description: `must be 1 to ${PASSWORD_MAX} characters long` }]);
}

/** Empty: the request is not idempotent. Throws INVALID_ARGUMENT. */
export function requireRequestId(requestId: string): void {
  const fits = /^[\x21-\x7e]{0,255}$/.test(requestId);
  refuse([!fits && { field: 'request_id', description: 'must be at most 255 visible ASCII characters' }]);
}

/** True if the text has the form of a user id. */
export function isUserId(text: string): boolean {
  return /^usr_[0-9a-f-]{36}$/.test(text);
}

export function haveSameRoles(left: readonly UserRole[], right: readonly UserRole[]): boolean {
  return left.toSorted().join() === right.toSorted().join();
}
