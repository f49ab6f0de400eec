/** What is written down about those who change users, API clients and signing keys. */

export const AUDIT_ACTIONS = [
  'user.created',
  'user.updated',
  'client.created',
  'client.updated',
  'client.revoked',
  'client.secret_rotated',
  'key.rotated',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Who acts, and in which request. */
export interface Actor {
  /** A user's id, or one of the two below. */
  id: string;
  /** Empty where there was no request. */
  traceId: string;
}

/** The operator's command, which works on the database as its owner. */
export const COMMAND: Actor = { id: 'command', traceId: '' };
/** The service itself, as it is configured. */
export const AUTH: Actor = { id: 'auth', traceId: '' };

export interface AuditFact {
  action: AuditAction;
  /** The user, the client or the key. */
  subjectId: string;
  /** What came of it. Never a secret. */
  details: Record<string, unknown>;
}

export interface AuditRecord extends AuditFact {
  id: string;
  actor: Actor;
  createdAt: Date;
}

export interface AuditFilter {
  subjectId?: string | undefined;
  actorId?: string | undefined;
  action?: AuditAction | undefined;
}

export function isAuditAction(text: string): text is AuditAction {
  return (AUDIT_ACTIONS as readonly string[]).includes(text);
}
