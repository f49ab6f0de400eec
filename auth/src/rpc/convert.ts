/** Converts between the contract's messages and the types of this service. */
import { type Call, decodePageToken, pageSizeOf, requireCaller } from '@payflowx/chassis';
import {
  type ApiClient as ApiClientMessage,
  type IdentityAuditRecord as AuditRecordMessage,
  Role as RoleMessage,
  type TokenPair as TokenPairMessage,
  type User as UserMessage,
} from '@payflowx/proto/auth';
import { Type } from 'typebox';
import type { TokenPair } from '../app/login.ts';
import type { PageRequest } from '../app/page.ts';
import {
  type Actor,
  AUDIT_ACTIONS,
  type AuditFilter,
  type AuditRecord,
  isAuditAction,
} from '../domain/audit.ts';
import { refuse } from '../domain/errors.ts';
import type { Role, User } from '../domain/user.ts';
import type { UserApiClient } from '../domain/user-api-client.ts';

export const TOKEN_TYPE_BEARER = 'Bearer';

const ROLE_MESSAGES: Record<Role, RoleMessage> = {
  customer: RoleMessage.CUSTOMER,
  operator: RoleMessage.OPERATOR,
  auditor: RoleMessage.AUDITOR,
  admin: RoleMessage.ADMIN,
  service: RoleMessage.SERVICE,
};

/** An unknown enum number stays a number; the domain refuses it. */
export function fromRoleMessages(roles: readonly RoleMessage[]): string[] {
  const names = Object.entries(ROLE_MESSAGES);
  return roles.map((role) => names.find(([, message]) => message === role)?.[0] ?? String(role));
}

export function toUserMessage(user: User): UserMessage {
  const { id, username, createdAt } = user;
  return { id, username, roles: user.roles.map((role) => ROLE_MESSAGES[role]), createdAt };
}

export function toTokenPairMessage({ accessToken, expiresIn, refreshToken }: TokenPair): TokenPairMessage {
  return { accessToken, expiresIn, refreshToken, tokenType: TOKEN_TYPE_BEARER };
}

export function toClientMessage(client: UserApiClient): ApiClientMessage {
  const { id, name, userId, createdAt, revokedAt } = client;
  return { id, name, userId, scopes: [...client.scopes], createdAt, revokedAt: revokedAt ?? undefined };
}

export function toAuditRecordMessage(record: AuditRecord): AuditRecordMessage {
  const { id, actor, action, subjectId, details, createdAt } = record;
  const detailsJson = JSON.stringify(details);
  return {
    id,
    actorId: actor.id,
    action,
    subjectId,
    detailsJson,
    traceId: actor.traceId,
    createdAt,
    clientId: actor.clientId ?? '',
    callId: actor.callId ?? '',
  };
}

const IDENTIFIER = /^[\x21-\x7e]{0,255}$/;

/** Throws INVALID_ARGUMENT. */
export function fromAuditFilter(asked: { subjectId: string; actorId: string; action: string }): AuditFilter {
  const { subjectId, actorId, action } = asked;
  refuse([
    !IDENTIFIER.test(subjectId) && { field: 'subject_id', description: 'must be an id' },
    !IDENTIFIER.test(actorId) && { field: 'actor_id', description: 'must be an id' },
    action !== '' &&
      !isAuditAction(action) && {
        field: 'action',
        description: `must be one of ${AUDIT_ACTIONS.join(', ')}`,
      },
  ]);
  return {
    subjectId: given(subjectId),
    actorId: given(actorId),
    action: isAuditAction(action) ? action : undefined,
  };
}

/** An empty text means that the filter is not set. */
export function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** The caller as the audit log stores it. */
export function actorOf(call: Call): Actor {
  const { id, clientId } = requireCaller(call);
  return { id, clientId, traceId: call.trace.traceId, callId: call.id };
}

/** The content of a page token: the id before which the next page starts. Pages are newest first. */
const Position = Type.Object({ before: Type.String() });

export function pageRequest({ pageSize, pageToken }: { pageSize: number; pageToken: string }): PageRequest {
  return { pageSize: pageSizeOf(pageSize), beforeId: decodePageToken(pageToken, Position)?.before };
}
