/** API clients that act for a user: made by an operator, limited to scopes, revocable. Pure but for the random bits. */
import { randomBytes } from 'node:crypto';
import type { Scope } from '@payflowx/chassis';
import { AuthError, refuse } from './errors.ts';

export interface UserApiClient {
  id: string;
  name: string;
  /** Whom it acts for. */
  userId: string;
  scopes: readonly Scope[];
  createdAt: Date;
  revokedAt: Date | null;
}

export interface NewUserApiClient {
  name: string;
  userId: string;
  /** In one order and once each, so that equal sets are equal lists. */
  scopes: readonly Scope[];
}

/** Every scope, and what is worth nothing without: ledger and analytics ask for the account in the caller's own name. */
const NEEDS: Record<Scope, readonly Scope[]> = {
  'accounts:read': [],
  'payments:read': [],
  'payments:write': [],
  'ledger:read': ['accounts:read'],
  'notifications:read': [],
  'analytics:read': ['accounts:read'],
};
const SCOPES = Object.keys(NEEDS) as Scope[];

const NAME = /^[^\p{C}]{1,100}$/u;
const CLIENT_ID = /^cli_[a-z0-9-]{1,60}$/;

/** Whether the id is of this kind of client. The platform's own services are `svc_…`. */
export function isUserApiClientId(text: string): boolean {
  return CLIENT_ID.test(text);
}

/** 256 random bits. */
export function newClientSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** A client as somebody wants it. Throws INVALID_ARGUMENT that names everything wrong with it. */
export function newUserApiClient(wanted: {
  name: string;
  userId: string;
  scopes: readonly string[];
}): NewUserApiClient {
  const name = wanted.name.trim();
  const scopes = SCOPES.filter((scope) => wanted.scopes.includes(scope));
  const known = wanted.scopes.every((scope) => (SCOPES as string[]).includes(scope));
  const missing = scopes.flatMap((scope) => NEEDS[scope]).filter((needed) => !scopes.includes(needed));
  refuse([
    !NAME.test(name) && { field: 'name', description: 'must be 1 to 100 printable characters' },
    (scopes.length === 0 || !known) && {
      field: 'scopes',
      description: `must be at least one of ${SCOPES.join(', ')}`,
    },
    missing.length > 0 && {
      field: 'scopes',
      description: `must hold ${[...new Set(missing)].join(', ')} too, which others of them need`,
    },
  ]);
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
  return new AuthError('API_CLIENT_NOT_FOUND', 'There is no such API client.');
}
