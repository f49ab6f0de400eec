/** The caller of an RPC: a person, an API client of a person, or a service; and the record of it that a change keeps. */

export const ROLE_NAMES = ['customer', 'operator', 'auditor', 'admin'] as const;
export type RoleName = (typeof ROLE_NAMES)[number];

/** The scopes of API clients. The access table of each service lists the scope of each RPC. */
export const SCOPES = [
  'accounts:read',
  'accounts:write',
  'payments:read',
  'payments:write',
  'mandates:read',
  'mandates:write',
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

/** The restriction of a person whose role needs a second factor, and who has none yet. */
export const SECOND_FACTOR_SETUP = 'second_factor_setup';

/** A caller, as its verified access token or its certificate names it. */
export interface Caller {
  readonly id: string;
  /** Empty for a service. */
  readonly roles: readonly RoleName[];
  /** The session of a person. Undefined for API clients and services. */
  readonly sessionId?: string | undefined;
  /** The second in which the person logged in with the password. Undefined for API clients and services. */
  readonly loggedInAtS?: number | undefined;
  /**
   * The only thing that the token may be used for. Undefined for ordinary tokens. A token with a restriction has no roles, so a
   * verifier that does not know the restriction refuses it everywhere.
   */
  readonly restrictedTo?: string | undefined;
  /** The name in the certificate of a service that calls in its own name. */
  readonly service?: string;
  /** The API client that calls for this user. */
  readonly clientId?: string | undefined;
  /** All scopes of the token; undefined for a token without limits, such as those of people. */
  readonly scopes?: readonly Scope[];
}

/** The origin of a change, as audit records store it: its caller and its call. */
export interface Origin {
  /** The id of the caller, or a name for a change without a call, such as `command`. The contracts name it the actor. */
  readonly callerId: string;
  /** The API client that called for this user. */
  readonly clientId?: string | undefined;
  /** The trace of the call, which its caller may choose. Empty if there is no call. */
  readonly traceId: string;
  /** The id of the call, which no caller can choose. Undefined if there is no call, and in records from before it was stored. */
  readonly callId?: string | undefined;
}

/** A service that calls in its own name. The id differs from every user's. */
export function serviceCaller(service: string): Caller {
  return { id: `svc_${service}`, roles: [], service };
}
