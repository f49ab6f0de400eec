/** The changes that always cause a mail to the user. */
import type { IdentityAction } from '@payflowx/proto/vocabulary';
import type { AuditFact } from './audit.ts';

export type SecurityChangeKind =
  | 'password_changed'
  | 'password_reset'
  | 'second_factor_added'
  | 'second_factor_removed'
  | 'api_client_created'
  | 'address_changed';

export interface SecurityChange {
  userId: string;
  kind: SecurityChangeKind;
  /** The name of the API client or the second factor. Empty if there is none. */
  subjectName: string;
  /** Undefined for the current address. */
  email?: string;
}

type Read = (fact: AuditFact) => SecurityChange | undefined;
const none: Read = () => undefined;

/** A new action must be listed here, so that none is forgotten. */
const CHANGES: Record<IdentityAction, Read> = {
  'user.created': none,
  // A changed address is announced separately, because the record does not have the former one.
  'user.updated': ({ subjectId, details }) =>
    details.password_reset === true
      ? { userId: subjectId, kind: 'password_reset', subjectName: '' }
      : undefined,
  'user.email_confirmed': none,
  'user.disabled': none,
  'user.enabled': none,
  'user.password_reset': ({ subjectId }) => ({ userId: subjectId, kind: 'password_reset', subjectName: '' }),
  'user.password_changed': ({ subjectId }) => ({
    userId: subjectId,
    kind: 'password_changed',
    subjectName: '',
  }),
  'session.revoked': none,
  'sessions.revoked': none,
  // It protects nothing until it is confirmed.
  'second_factor.created': none,
  'second_factor.confirmed': ({ subjectId, details }) => ({
    userId: subjectId,
    kind: 'second_factor_added',
    subjectName: typeof details.name === 'string' ? details.name : '',
  }),
  'second_factor.removed': ({ subjectId, details }) => ({
    userId: subjectId,
    kind: 'second_factor_removed',
    subjectName: typeof details.name === 'string' ? details.name : '',
  }),
  'client.created': ({ details }) => {
    // The clients of services act for no user.
    if (typeof details.user_id !== 'string') return undefined;
    return { userId: details.user_id, kind: 'api_client_created', subjectName: String(details.name) };
  },
  'client.updated': none,
  'client.revoked': none,
  'client.secret_rotated': none,
  'client.secret_removed': none,
  'client.key_added': none,
  'client.key_removed': none,
  'key.rotated': none,
};

/** Undefined if the change causes no mail. */
export function securityChangeOf(fact: AuditFact): SecurityChange | undefined {
  return CHANGES[fact.action](fact);
}
