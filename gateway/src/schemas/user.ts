/** Users, as admins and operators see them. */
import { Role, type User as UserMessage, UserState } from '@payflowx/proto/auth';
import { type Static, Type } from 'typebox';
import { UserId } from './ids.ts';
import { count } from './money.ts';
import { named, ref } from './named.ts';
import { emptyAsNull, nullableText, nullableTime, nullableTimeJson, texts, time, timeJson } from './text.ts';
import { wireNames } from './wire-names.ts';

export const ROLES = wireNames('A role of a user.', {
  [Role.CUSTOMER]: 'customer',
  [Role.OPERATOR]: 'operator',
  [Role.AUDITOR]: 'auditor',
  [Role.ADMIN]: 'admin',
});

/** The roles that a user gets. */
export const roleSet = Type.Array(ROLES.schema, {
  minItems: 1,
  maxItems: 4,
  uniqueItems: true,
  examples: [['customer']],
});

const STATES = wireNames('A disabled user cannot log in.', {
  [UserState.ENABLED]: 'enabled',
  [UserState.DISABLED]: 'disabled',
});

export const User = named(
  'User',
  Type.Object({
    id: ref(UserId),
    username: Type.String({ examples: ['alice'] }),
    roles: Type.Array(ROLES.schema),
    email: nullableText('The address for messages to the person.'),
    email_verified: Type.Boolean({
      description: 'True if the person has proved that the address is theirs.',
    }),
    language: nullableText(
      'The language of messages to the person, a BCP 47 tag. Null: the default of the platform.',
    ),
    state: STATES.schema,
    has_password: Type.Boolean({
      description: 'False for a user for whom only API clients act. It cannot log in.',
    }),
    external_id: nullableText('The admin’s own id for it.'),
    metadata: texts('The admin’s own names and values.'),
    second_factor: Type.Boolean({ description: 'True if a login needs a second factor.' }),
    version: count(
      'Rises with each change of roles, e-mail address, language, external id, metadata or state. The ETag is the version in quotes.',
    ),
    created_at: time('When the user was created.'),
    last_login_at: nullableTime('When the user last logged in with the password; null if never.'),
  }),
);

export function userJson(user: UserMessage | undefined): Static<typeof User> {
  if (!user) throw new Error('The response of auth has no user.');
  return {
    id: user.id,
    username: user.username,
    roles: user.roles.map(ROLES.nameOf),
    email: emptyAsNull(user.email),
    email_verified: user.emailVerified,
    language: emptyAsNull(user.language),
    state: STATES.nameOf(user.state),
    has_password: user.hasPassword,
    external_id: emptyAsNull(user.externalId),
    metadata: user.metadata,
    second_factor: user.secondFactor,
    version: user.version,
    created_at: timeJson(user.createdAt),
    last_login_at: nullableTimeJson(user.lastLoginAt),
  };
}
