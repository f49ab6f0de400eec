/** Between the contract's messages and our own words. */
import {
  Role as RoleMessage,
  type TokenPair as TokenPairMessage,
  type User as UserMessage,
} from '@payflowx/proto/auth';
import type { TokenPair } from '../app/login.ts';
import type { Role, User } from '../domain/user.ts';

export const TOKEN_TYPE_BEARER = 'Bearer';

const ROLE_MESSAGES: Record<Role, RoleMessage> = {
  customer: RoleMessage.CUSTOMER,
  operator: RoleMessage.OPERATOR,
  auditor: RoleMessage.AUDITOR,
  service: RoleMessage.SERVICE,
};

/** A number without a name stays one, for the domain to refuse. */
export function fromRoleMessages(roles: readonly RoleMessage[]): string[] {
  const names = Object.entries(ROLE_MESSAGES);
  return roles.map((role) => names.find(([, message]) => message === role)?.[0] ?? String(role));
}

export function toUserMessage(user: User): UserMessage {
  const { id, username, createdAt } = user;
  return { id, username, roles: user.roles.map((role) => ROLE_MESSAGES[role]), createdAt };
}

export function toTokenPairMessage(pair: TokenPair): TokenPairMessage {
  return { ...pair, tokenType: TOKEN_TYPE_BEARER };
}
