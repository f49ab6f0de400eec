/** Who can log in, and what a name, a password and roles must look like. */
import { refuse } from './errors.ts';

const USER_ROLES = ['auditor', 'customer', 'operator'] as const;
/** What a person may be. */
export type UserRole = (typeof USER_ROLES)[number];
/** What a caller may be; `service` is for API clients only. */
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
  /** In one order and once each, so that equal sets are equal lists. */
  roles: readonly UserRole[];
}

const USERNAME = /^[A-Za-z0-9._-]{3,64}$/;
/** NIST SP 800-63B: length is what counts; no rules about which characters. */
const PASSWORD_MIN = 12;
/** Enough for any passphrase, and a bound on what one login can make the hash read. */
const PASSWORD_MAX = 256;

export function isUsername(text: string): boolean {
  return USERNAME.test(text);
}

/** A user as somebody wants it. Throws INVALID_ARGUMENT that names everything wrong with it. */
export function newUser(wanted: { username: string; password: string; roles: readonly string[] }): NewUser {
  const { username, password } = wanted;
  const roles = USER_ROLES.filter((role) => wanted.roles.includes(role));
  const known = wanted.roles.every((role) => (USER_ROLES as readonly string[]).includes(role));
  refuse([
    !isUsername(username) && {
      field: 'username',
      description: 'must be 3 to 64 of letters, digits, dot, dash and underscore',
    },
    (password.length < PASSWORD_MIN || password.length > PASSWORD_MAX) && {
      field: 'password',
      description: `must be ${PASSWORD_MIN} to ${PASSWORD_MAX} characters long`,
    },
    (roles.length === 0 || !known) && {
      field: 'roles',
      description: `must be at least one of ${USER_ROLES.join(', ')}`,
    },
  ]);
  return { username, password, roles };
}

/** A login has no lower bound on the password: a wrong one is wrong, not malformed. Throws INVALID_ARGUMENT. */
export function requireLoginPassword(password: string): void {
  const fits = password.length >= 1 && password.length <= PASSWORD_MAX;
  refuse([!fits && { field: 'password', description: `must be 1 to ${PASSWORD_MAX} characters long` }]);
}

/** Empty means that the request is not idempotent. Throws INVALID_ARGUMENT. */
export function requireRequestId(requestId: string): void {
  const fits = /^[\x21-\x7e]{0,255}$/.test(requestId);
  refuse([!fits && { field: 'request_id', description: 'must be at most 255 visible ASCII characters' }]);
}

/** Whether the text can be a user's id at all. */
export function isUserId(text: string): boolean {
  return /^usr_[0-9a-f-]{36}$/.test(text);
}

export function haveSameRoles(left: readonly UserRole[], right: readonly UserRole[]): boolean {
  return left.toSorted().join() === right.toSorted().join();
}
