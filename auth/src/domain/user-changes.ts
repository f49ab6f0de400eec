/** Changes that admins make to a user. Pure. Each function returns the same object if nothing changes. */
import { collectViolations } from '@payflowx/chassis/errors';
import { changedMetadata, type MetadataChange } from '@payflowx/chassis/metadata';
import { AuthError, invalid } from './errors.ts';
import { haveSameRoles, requireReferences, type User, type UserState, userRoles } from './user.ts';

/** The new values. Undefined fields keep their value; an empty text removes it. */
export interface UserUpdate extends MetadataChange {
  /** Undefined, or at least one. */
  roles?: readonly string[] | undefined;
  email?: string | undefined;
  language?: string | undefined;
  externalId?: string | undefined;
}

/** RFC 5321 allows 254 characters. Only a message to the address can prove that it exists, so the check is simple. */
const EMAIL = /^[^\s@\p{C}]{1,64}@[^\s@\p{C}]{1,255}$/u;
const EMAIL_MAX = 254;
/** Language, script and region of BCP 47. */
const LANGUAGE = /^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$/;

/** Throws INVALID_ARGUMENT with all violations. */
export function requireUserUpdate(update: UserUpdate): void {
  const { roles, email = '', language = '', externalId = '', metadata } = update;
  const violations = collectViolations(invalid);
  const hasRoles = roles === undefined || userRoles(roles).length > 0;
  const isAddress = email === '' || (email.length <= EMAIL_MAX && EMAIL.test(email));
  violations.require(hasRoles, 'roles', 'must be roles of users');
  violations.require(isAddress, 'email', `must be an e-mail address of at most ${EMAIL_MAX} characters`);
  violations.require(
    language === '' || LANGUAGE.test(language),
    'language',
    'must be a language tag such as en or de-CH',
  );
  requireReferences(violations, { externalId, metadata });
  violations.throwIfAny();
}

/** A changed address is not verified. Throws VERSION_MISMATCH, and INVALID_ARGUMENT if the metadata gets too many pairs. */
export function updateUser(user: User, update: UserUpdate, expectedVersion: bigint): User {
  requireVersion(user, expectedVersion);
  const after = updated(user, update);
  if (changedFields(user, after).length === 0) return user;
  const violations = collectViolations(invalid);
  requireReferences(violations, after);
  violations.throwIfAny();
  return { ...after, version: user.version + 1n };
}

function updated(user: User, update: UserUpdate): User {
  const email = update.email === undefined ? user.email : update.email || null;
  return {
    ...user,
    roles: update.roles === undefined ? user.roles : userRoles(update.roles),
    email,
    emailVerified: user.emailVerified && email === user.email,
    language: update.language === undefined ? user.language : update.language || null,
    externalId: update.externalId ?? user.externalId,
    metadata: changedMetadata(user.metadata, update),
  };
}

/** Returns the names of the fields that an update has changed, as the contract has them. */
export function changedFields(before: User, after: User): string[] {
  const changes = {
    roles: !haveSameRoles(before.roles, after.roles),
    email: before.email !== after.email,
    language: before.language !== after.language,
    external_id: before.externalId !== after.externalId,
    metadata: before.metadata !== after.metadata,
  };
  return Object.entries(changes).flatMap(([field, isChanged]) => (isChanged ? [field] : []));
}

export function changeUserState(user: User, state: UserState): User {
  return user.state === state ? user : { ...user, state, version: user.version + 1n };
}

function requireVersion({ version }: User, expected: bigint): void {
  if (version === expected) return;
  throw new AuthError('VERSION_MISMATCH', 'The user was changed in the meantime.', {
    metadata: { version: `${version}` },
  });
}

/** Roles that an installation cannot do without. */
const DUTIES = ['operator', 'admin'] as const;
export type Duty = (typeof DUTIES)[number];

/** The duties that the change takes from an enabled user. */
export function dutiesLost(before: User, after: User): Duty[] {
  const holds = (user: User, duty: Duty) =>
    user.state === 'enabled' && user.hasPassword && user.roles.includes(duty);
  return DUTIES.filter((duty) => holds(before, duty) && !holds(after, duty));
}

export function lastHolder(duty: Duty): AuthError {
  return new AuthError('LAST_OPERATOR', `This is the last enabled user with the role ${duty}.`, {
    metadata: { role: duty },
  });
}
