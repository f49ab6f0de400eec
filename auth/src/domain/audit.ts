/** Audit records of changes to users, API clients and signing keys. */

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

/** The author of a change, and its request. */
export interface Actor {
  /** A user's id, or one of the two below. */
  id: string;
  /** The API client that acts for the user. */
  clientId?: string | undefined;
  /** The trace of the request, which its caller may choose. Empty if there is no request. */
  traceId: string;
  /** The id of the gRPC call, which no caller can choose. Undefined if there is no call. */
  callId?: string | undefined;
}

/** The operator's command, which connects to the database as its owner. */
export const COMMAND: Actor = { id: 'command', traceId: '' };
/** The service itself, acting by its configuration. */
export const AUTH: Actor = { id: 'auth', traceId: '' };

export interface AuditFact {
  action: AuditAction;
  /** The id of the user, client or key. */
  subjectId: string;
  /** The result of the action. Never contains a secret. */
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
