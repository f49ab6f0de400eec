/** The caller of an RPC: a person, an API client of one, or a service. */

export const ROLE_NAMES = ['customer', 'operator', 'auditor', 'service'] as const;
export type RoleName = (typeof ROLE_NAMES)[number];

/** What a token of an API client can be limited to. Which RPC asks for which is in each service's access table. */
export const SCOPES = [
  'accounts:read',
  'payments:read',
  'payments:write',
  'ledger:read',
  'notifications:read',
  'analytics:read',
] as const;
export type Scope = (typeof SCOPES)[number];

/** A caller, as its verified access token names it. */
export interface Caller {
  id: string;
  roles: readonly RoleName[];
  /** The API client that calls in this user's place. */
  clientId?: string;
  /** All that the token may be used for; undefined for one without limits, as people and services have it. */
  scopes?: readonly Scope[];
}
