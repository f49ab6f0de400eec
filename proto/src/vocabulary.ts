/**
 * Words that cross the wire as text because the contract has no enum for them. The service that writes a word and the gateway that
 * documents it read the same list.
 */

/** The actions in the audit records of users, API clients and signing keys. */
export const IDENTITY_ACTIONS = [
  'user.created',
  'user.updated',
  'user.disabled',
  'user.enabled',
  'user.password_reset',
  'user.password_changed',
  'session.revoked',
  'sessions.revoked',
  'second_factor.created',
  'second_factor.confirmed',
  'second_factor.removed',
  'user.email_confirmed',
  'client.created',
  'client.updated',
  'client.revoked',
  'client.secret_rotated',
  'client.secret_removed',
  'client.key_added',
  'client.key_removed',
  'key.rotated',
] as const;
export type IdentityAction = (typeof IDENTITY_ACTIONS)[number];

/** The actions in the audit records of accounts. */
export const ACCOUNT_ACTIONS = [
  'account.created',
  'account.updated',
  'account.frozen',
  'account.unfrozen',
  'account.closed',
  'account.clock_advanced',
] as const;
export type AccountAction = (typeof ACCOUNT_ACTIONS)[number];

/** The languages of notifications and mails. */
export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

export function isLanguage(text: string): text is Language {
  return (LANGUAGES as readonly string[]).includes(text);
}
