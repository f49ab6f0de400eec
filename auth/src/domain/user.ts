/** Users, and the rules for names, passwords and roles. */
import { collectViolations, type Violations } from '@payflowx/chassis/errors';
import { type Metadata, requireMetadata } from '@payflowx/chassis/metadata';
import { invalid } from './errors.ts';
import { PASSWORD_MAX, passwordProblem } from './password.ts';

export const USER_ROLES = ['auditor', 'customer', 'operator', 'admin'] as const;
/** The roles of a person. */
export type UserRole = (typeof USER_ROLES)[number];

/** A disabled user cannot log in. */
export type UserState = 'enabled' | 'disabled';

export interface User {
  id: string;
  username: string;
  roles: readonly UserRole[];
  email: string | null;
  emailVerified: boolean;
  /** A BCP 47 tag; null for the default of the platform. */
  language: string | null;
  state: UserState;
  /** Rises with each change that an admin sees. */
  version: bigint;
  createdAt: Date;
  lastLoginAt: Date | null;
  /** A login needs a second factor. */
  hasSecondFactor: boolean;
  /** False: only API clients act for the user, until an admin resets the password. */
  hasPassword: boolean;
  /** The admin's own id for the user. Empty: none. */
  externalId: string;
  metadata: Metadata;
}

/** The fields of a new user. All others have their first value. */
export type CreatedUser = Pick<
  User,
  'id' | 'username' | 'roles' | 'createdAt' | 'hasPassword' | 'externalId' | 'metadata'
>;

/** The user as it is at its creation. */
export function createdUser(made: CreatedUser): User {
  const contact = { email: null, emailVerified: false, language: null };
  return { ...made, ...contact, state: 'enabled', version: 1n, lastLoginAt: null, hasSecondFactor: false };
}

export interface NewUser {
  username: string;
  /** Undefined for a user for whom only API clients act. */
  password: string | undefined;
  /** In a fixed order without duplicates, so that equal sets are equal lists. */
  roles: readonly UserRole[];
  externalId: string;
  metadata: Metadata;
}

const EXTERNAL_ID_MAX = 100;
const USERNAME = /^[A-Za-z0-9._-]{3,64}$/;

export function isUsername(text: string): boolean {
  return USERNAME.test(text);
}

/** Validates a new user. Throws INVALID_ARGUMENT with all violations. */
export function newUser(wanted: Omit<NewUser, 'roles'> & { roles: readonly string[] }): NewUser {
  const { username, password, externalId, metadata } = wanted;
  const roles = userRoles(wanted.roles);
  const violations = collectViolations(invalid);
  violations.require(
    isUsername(username),
    'username',
    'must be 3 to 64 characters: letters, digits, dot, dash, underscore',
  );
  const problem = password === undefined ? undefined : passwordProblem(password);
  violations.require(problem === undefined, 'password', problem ?? '');
  violations.require(roles.length > 0, 'roles', `must be at least one of ${USER_ROLES.join(', ')}`);
  requireReferences(violations, { externalId, metadata });
  violations.throwIfAny();
  return { username, password, roles, externalId, metadata };
}

export function requireReferences(
  violations: Violations,
  { externalId, metadata }: Pick<User, 'externalId' | 'metadata'>,
): void {
  violations.requireText('external_id', externalId, EXTERNAL_ID_MAX);
  requireMetadata(violations, metadata);
}

/** Returns the roles in a fixed order without duplicates. Empty if there is none, or an unknown one. */
export function userRoles(wanted: readonly string[]): UserRole[] {
  const isKnown = wanted.every((role) => (USER_ROLES as readonly string[]).includes(role));
  return isKnown ? USER_ROLES.filter((role) => wanted.includes(role)) : [];
}

/** At login a short password is wrong, not malformed, so there is no lower bound. Throws INVALID_ARGUMENT. */
export function requireLoginPassword(password: string): void {
  if (password.length >= 1 && password.length <= PASSWORD_MAX) return;
  throw invalid([{ field: 'password', description: `must be 1 to ${PASSWORD_MAX} characters long` }]);
}

/** Empty: the request is not idempotent. Throws INVALID_ARGUMENT. */
export function requireRequestId(requestId: string): void {
  if (/^[\x21-\x7e]{0,255}$/.test(requestId)) return;
  throw invalid([{ field: 'request_id', description: 'must be at most 255 visible ASCII characters' }]);
}

/** True if the text has the form of a user id. */
export function isUserId(text: string): boolean {
  return /^usr_[0-9a-f-]{36}$/.test(text);
}

export function haveSameRoles(left: readonly UserRole[], right: readonly UserRole[]): boolean {
  return left.toSorted().join() === right.toSorted().join();
}
