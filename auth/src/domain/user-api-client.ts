/** API clients that act for a user. Operators create them, limit them to scopes and revoke them. Pure but for the random bits. */
import { randomBytes } from 'node:crypto';
import type { Scope } from '@payflowx/chassis';
import { collectViolations } from '@payflowx/chassis/errors';
import { AuthError, invalid } from './errors.ts';

export interface UserApiClient {
  id: string;
  name: string;
  /** The user that the client acts for. */
  userId: string;
  scopes: readonly Scope[];
  createdAt: Date;
  revokedAt: Date | null;
  /** False if it logs in with a key only, or is revoked. */
  hasSecret: boolean;
}

export interface NewUserApiClient {
  name: string;
  userId: string;
  /** In a fixed order without duplicates, so that equal sets are equal lists. */
  scopes: readonly Scope[];
}

/** Each scope, and the scopes that it needs: a change of an account, the ledger and analytics read the account with the same token. */
const NEEDS: Record<Scope, readonly Scope[]> = {
  'accounts:read': [],
  'accounts:write': ['accounts:read'],
  'payments:read': [],
  'payments:write': [],
  'mandates:read': [],
  'mandates:write': [],
  'deposits:write': [],
  'withdrawals:write': [],
  'rules:read': [],
  'rules:write': [],
  'ledger:read': ['accounts:read'],
  'notifications:read': [],
  'analytics:read': ['accounts:read'],
  'audit:read': [],
};
const SCOPES = Object.keys(NEEDS) as Scope[];

const NAME = /^[^\p{C}]{1,100}$/u;
const CLIENT_ID = /^cli_[a-z0-9-]{1,60}$/;

/** True if the id has the form of this kind of client. The platform's own services are `svc_…`. */
export function isUserApiClientId(text: string): boolean {
  return CLIENT_ID.test(text);
}

/** 256 random bits. */
export function newClientSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Validates a new client. Throws INVALID_ARGUMENT with all violations. */
export function newUserApiClient(wanted: {
  name: string;
  userId: string;
  scopes: readonly string[];
}): NewUserApiClient {
  const name = wanted.name.trim();
  const scopes = SCOPES.filter((scope) => wanted.scopes.includes(scope));
  const known = wanted.scopes.every((scope) => (SCOPES as string[]).includes(scope));
  const missing = scopes.flatMap((scope) => NEEDS[scope]).filter((needed) => !scopes.includes(needed));
  const violations = collectViolations(invalid);
  violations.require(NAME.test(name), 'name', 'must be 1 to 100 printable characters');
  violations.require(scopes.length > 0 && known, 'scopes', `must be at least one of ${SCOPES.join(', ')}`);
  violations.require(
    missing.length === 0,
    'scopes',
    `must also contain ${[...new Set(missing)].join(', ')}: other scopes need them`,
  );
  violations.throwIfAny();
  return { name, userId: wanted.userId, scopes };
}

export function isSameClient(left: NewUserApiClient, right: NewUserApiClient): boolean {
  return (
    left.name === right.name &&
    left.userId === right.userId &&
    left.scopes.toSorted().join() === right.scopes.toSorted().join()
  );
}

export function clientNotFound(): AuthError {
  return new AuthError('API_CLIENT_NOT_FOUND', 'The API client does not exist.');
}
