/** Converts between the contract's messages and the types of this service. */
import { collectViolations, decodePageToken, pageSizeOf } from '@payflowx/chassis';
import {
  type ApiClient as ApiClientMessage,
  type IdentityAuditRecord as AuditRecordMessage,
  type AuthSession as AuthSessionMessage,
  type ApiClientKey as ClientKeyMessage,
  type SecondFactor as FactorMessage,
  Role as RoleMessage,
  type TokenPair as TokenPairMessage,
  type User as UserMessage,
  UserState as UserStateMessage,
} from '@payflowx/proto/auth';
import { IDENTITY_ACTIONS } from '@payflowx/proto/vocabulary';
import { Type } from 'typebox';
import type { TokenPair } from '../app/login.ts';
import type { PageRequest } from '../app/page.ts';
import { type AuditFilter, type AuditRecord, isIdentityAction } from '../domain/audit.ts';
import type { ClientKey } from '../domain/client-key.ts';
import { invalid } from '../domain/errors.ts';
import type { Session } from '../domain/refresh-token.ts';
import type { SecondFactor } from '../domain/second-factor.ts';
import type { User, UserRole, UserState } from '../domain/user.ts';
import type { UserApiClient } from '../domain/user-api-client.ts';

export const TOKEN_TYPE_BEARER = 'Bearer';

const ROLE_MESSAGES: Record<UserRole, RoleMessage> = {
  customer: RoleMessage.CUSTOMER,
  operator: RoleMessage.OPERATOR,
  auditor: RoleMessage.AUDITOR,
  admin: RoleMessage.ADMIN,
};

const STATE_MESSAGES: Record<UserState, UserStateMessage> = {
  enabled: UserStateMessage.ENABLED,
  disabled: UserStateMessage.DISABLED,
};

/** An unknown enum number stays a number; the domain refuses it. */
export function fromRoleMessages(roles: readonly RoleMessage[]): string[] {
  const names = Object.entries(ROLE_MESSAGES);
  return roles.map((role) => names.find(([, message]) => message === role)?.[0] ?? String(role));
}

export function toUserMessage(user: User): UserMessage {
  const { id, username, emailVerified, version, createdAt, hasPassword, externalId, metadata } = user;
  return {
    id,
    username,
    roles: user.roles.map((role) => ROLE_MESSAGES[role]),
    email: user.email ?? '',
    emailVerified,
    language: user.language ?? '',
    state: STATE_MESSAGES[user.state],
    version,
    createdAt,
    lastLoginAt: user.lastLoginAt ?? undefined,
    secondFactor: user.hasSecondFactor,
    hasPassword,
    externalId,
    metadata,
  };
}

/** Throws INVALID_ARGUMENT. */
export function fromStateMessage(state: UserStateMessage): UserState {
  const known = (['enabled', 'disabled'] as const).find((name) => STATE_MESSAGES[name] === state);
  const violations = collectViolations(invalid);
  violations.require(known !== undefined, 'state', 'must be ENABLED or DISABLED');
  violations.throwIfAny();
  return known as UserState;
}

export function toSessionMessage(session: Session, currentId: string | undefined): AuthSessionMessage {
  return { ...session, current: session.id === currentId };
}

export function toFactorMessage({ confirmedAt, lastUsedAt, ...factor }: SecondFactor): FactorMessage {
  const { id, kind, name, createdAt } = factor;
  const at = { confirmedAt: confirmedAt ?? undefined, lastUsedAt: lastUsedAt ?? undefined };
  return { id, kind, name, createdAt, ...at };
}

export function toTokenPairMessage(pair: TokenPair): TokenPairMessage {
  const { accessToken, expiresIn, refreshToken, restrictedTo = '' } = pair;
  return { accessToken, expiresIn, refreshToken, restrictedTo, tokenType: TOKEN_TYPE_BEARER };
}

export function toClientMessage(client: UserApiClient): ApiClientMessage {
  const { id, name, userId, createdAt, revokedAt, hasSecret } = client;
  const scopes = [...client.scopes];
  return { id, name, userId, scopes, createdAt, revokedAt: revokedAt ?? undefined, hasSecret };
}

export function toClientKeyMessage({ kid, jwk, createdAt }: ClientKey): ClientKeyMessage {
  return { kid, publicJwk: JSON.stringify({ ...jwk, kid, use: 'sig' }), createdAt };
}

export function toAuditRecordMessage(record: AuditRecord): AuditRecordMessage {
  const { id, origin, action, subjectId, details, createdAt } = record;
  const detailsJson = JSON.stringify(details);
  return {
    id,
    actorId: origin.callerId,
    action,
    subjectId,
    detailsJson,
    traceId: origin.traceId,
    createdAt,
    clientId: origin.clientId ?? '',
    callId: origin.callId ?? '',
  };
}

const IDENTIFIER = /^[\x21-\x7e]{0,255}$/;

/** Throws INVALID_ARGUMENT. */
export function fromAuditFilter(asked: { subjectId: string; actorId: string; action: string }): AuditFilter {
  const { subjectId, actorId, action } = asked;
  const violations = collectViolations(invalid);
  violations.require(IDENTIFIER.test(subjectId), 'subject_id', 'must be an id');
  violations.require(IDENTIFIER.test(actorId), 'actor_id', 'must be an id');
  const isKnown = action === '' || isIdentityAction(action);
  violations.require(isKnown, 'action', `must be one of ${IDENTITY_ACTIONS.join(', ')}`);
  violations.throwIfAny();
  return {
    subjectId: given(subjectId),
    actorId: given(actorId),
    action: isIdentityAction(action) ? action : undefined,
  };
}

/** An empty text means that the filter is not set. */
export function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** The content of a page token: the id before which the next page starts. Pages are newest first. */
const Position = Type.Object({ before: Type.String() });

export function pageRequest({ pageSize, pageToken }: { pageSize: number; pageToken: string }): PageRequest {
  return { pageSize: pageSizeOf(pageSize), beforeId: decodePageToken(pageToken, Position)?.before };
}
