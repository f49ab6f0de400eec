/** The caller of an RPC: a person, an API client of a person, or a service. */

export const ROLE_NAMES = ['customer', 'operator', 'auditor', 'admin', 'service'] as const;
export type RoleName = (typeof ROLE_NAMES)[number];

/** The scopes of API clients. The access table of each service lists the scope of each RPC. */
export const SCOPES = [
  'accounts:read',
  'accounts:write',
  'payments:read',
  'payments:write',
  'deposits:write',
  'withdrawals:write',
  'rules:read',
  'rules:write',
  'ledger:read',
  'notifications:read',
  'analytics:read',
  'audit:read',
] as const;
export type Scope = (typeof SCOPES)[number];

/** A caller, as its verified access token names it. */
export interface Caller {
  id: string;
  roles: readonly RoleName[];
  /** The API client that calls for this user. */
  clientId?: string;
  /** All scopes of the token; undefined for a token without limits, such as those of people and services. */
  scopes?: readonly Scope[];
}
