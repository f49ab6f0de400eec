/** Audit records of changes to users, API clients and signing keys. */
import type { Origin } from '@payflowx/chassis';
import { IDENTITY_ACTIONS, type IdentityAction } from '@payflowx/proto/vocabulary';

/** The operator's command, which connects to the database as its owner. */
export const COMMAND: Origin = { callerId: 'command', traceId: '' };
/** The service itself, acting by its configuration. */
export const AUTH: Origin = { callerId: 'auth', traceId: '' };

export interface AuditFact {
  action: IdentityAction;
  /** The id of the user, client or key. */
  subjectId: string;
  /** The result of the action. Never contains a secret. */
  details: Record<string, unknown>;
}

export interface AuditRecord extends AuditFact {
  id: string;
  origin: Origin;
  createdAt: Date;
}

export interface AuditFilter {
  subjectId?: string | undefined;
  actorId?: string | undefined;
  action?: IdentityAction | undefined;
}

export function isIdentityAction(text: string): text is IdentityAction {
  return (IDENTITY_ACTIONS as readonly string[]).includes(text);
}
