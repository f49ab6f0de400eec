/** Decides who may call an RPC, in one place. The default is to deny: callers that an entry does not list are refused. */

import type { Caller, RoleName, Scope } from './caller.ts';
import { CallError } from './errors.ts';
import type { TokenVerifier } from './identity.ts';

/**
 * The access entry of an RPC. There is no default: a method without an entry does not compile.
 * - `'anyone'`: a token is ignored.
 * - `'anyone-may-identify'`: open too, but a valid token identifies its caller; an invalid one is ignored.
 * - `['operator']`: callers with these roles. A token with scopes is refused, whatever its scopes.
 * - `{ roles: ['customer'], scope: 'payments:read' }`: callers with these roles; a token with scopes must contain this one.
 */
export type Access = 'anyone' | 'anyone-may-identify' | readonly RoleName[] | ScopedAccess;
export type AccessTable<S> = Record<keyof S, Access>;

export interface ScopedAccess {
  readonly roles: readonly RoleName[];
  readonly scope: Scope;
}

/**
 * Returns the caller if its token is valid and `access` lists it. Throws CallError otherwise. `onIgnored` gets the error of an invalid
 * token that the RPC does not need.
 */
export async function admit(
  access: Access,
  token: string | undefined,
  verifier: TokenVerifier,
  onIgnored: (error: CallError) => void,
): Promise<Caller | undefined> {
  if (access === 'anyone') return undefined;
  if (access === 'anyone-may-identify') {
    return token === undefined ? undefined : identify(token, verifier, onIgnored);
  }
  if (token === undefined) throw new CallError('UNAUTHENTICATED', 'This call needs an access token.');
  const caller = await verifier.verify(token);
  requireAccess(caller, access);
  return caller;
}

/**
 * Also checks callers that reach an RPC in another way, such as the items of a batch. Throws ROLE_NOT_ALLOWED,
 * INSUFFICIENT_SCOPE.
 */
export function requireAccess(caller: Caller, access: readonly RoleName[] | ScopedAccess): void {
  const { roles, scope } = 'roles' in access ? access : { roles: access, scope: undefined };
  if (!caller.roles.some((role) => roles.includes(role))) {
    throw refused(caller, 'ROLE_NOT_ALLOWED', 'Your role may not do this.');
  }
  requireScope(caller, scope);
}

/** A token without scopes has no such limit. Throws INSUFFICIENT_SCOPE. */
export function requireScope(caller: Caller, scope: Scope | undefined): void {
  if (caller.scopes === undefined) return;
  if (scope === undefined) {
    throw refused(caller, 'INSUFFICIENT_SCOPE', 'An API client may not do this, whatever its scopes.');
  }
  if (!caller.scopes.includes(scope)) {
    throw refused(caller, 'INSUFFICIENT_SCOPE', `This needs the scope ${scope}.`);
  }
}

function refused(caller: Caller, reason: 'ROLE_NOT_ALLOWED' | 'INSUFFICIENT_SCOPE', message: string) {
  return new CallError(reason, message, { caller });
}

async function identify(
  token: string,
  verifier: TokenVerifier,
  onIgnored: (error: CallError) => void,
): Promise<Caller | undefined> {
  try {
    return await verifier.verify(token);
  } catch (error) {
    // If a call needs no token, an expired one is ignored. Errors on our side are not ignored.
    if (!(error instanceof CallError) || error.reason !== 'UNAUTHENTICATED') throw error;
    onIgnored(error);
    return undefined;
  }
}
