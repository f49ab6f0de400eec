/** Who may call an RPC, and the one place that decides it. Deny by default: what an entry does not name is refused. */

import type { Caller, RoleName, Scope } from './caller.ts';
import { CallError } from './errors.ts';
import type { TokenVerifier } from './identity.ts';

/**
 * An RPC's entry. There is no default: a method without an entry does not compile.
 * - `'anyone'`: a token is not even looked at.
 * - `'anyone-may-identify'`: open as well, but a good token makes its caller known; a bad one counts as none.
 * - `['operator']`: callers of these roles. A token that is limited to scopes is refused, whatever its scopes.
 * - `{ roles: ['customer'], scope: 'payments:read' }`: callers of these roles; a token that is limited to scopes must carry this one.
 */
export type Access = 'anyone' | 'anyone-may-identify' | readonly RoleName[] | ScopedAccess;
export type AccessTable<S> = Record<keyof S, Access>;

export interface ScopedAccess {
  readonly roles: readonly RoleName[];
  readonly scope: Scope;
}

/** Lets a call pass whose token is good and that `access` names. Throws CallError. */
export async function admit(
  access: Access,
  token: string | undefined,
  verifier: TokenVerifier,
): Promise<Caller | undefined> {
  if (access === 'anyone') return undefined;
  if (access === 'anyone-may-identify') return token === undefined ? undefined : identify(token, verifier);
  if (token === undefined) throw new CallError('UNAUTHENTICATED', 'This call needs an access token.');
  const caller = await verifier.verify(token);
  requireAccess(caller, access);
  return caller;
}

/** Also for callers that reach an RPC by another way, such as the items of a batch. Throws ROLE_NOT_ALLOWED, INSUFFICIENT_SCOPE. */
export function requireAccess(caller: Caller, access: readonly RoleName[] | ScopedAccess): void {
  const { roles, scope } = 'roles' in access ? access : { roles: access, scope: undefined };
  if (!caller.roles.some((role) => roles.includes(role))) {
    throw new CallError('ROLE_NOT_ALLOWED', 'Your role may not do this.');
  }
  if (caller.scopes === undefined) return;
  if (scope === undefined) {
    throw new CallError('INSUFFICIENT_SCOPE', 'An API client may not do this, whatever its scopes.');
  }
  if (!caller.scopes.includes(scope)) {
    throw new CallError('INSUFFICIENT_SCOPE', `This needs the scope ${scope}.`);
  }
}

async function identify(token: string, verifier: TokenVerifier): Promise<Caller | undefined> {
  try {
    return await verifier.verify(token);
  } catch (error) {
    // Whoever may come without a token may come with an expired one. What is wrong on our side is not passed over.
    if (error instanceof CallError && error.reason === 'UNAUTHENTICATED') return undefined;
    throw error;
  }
}
