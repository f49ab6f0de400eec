/** Decides who may call an RPC, in one place. The default is to deny: callers that an entry does not list are refused. */

import { RECENT_LOGIN_S } from '../process/settings.ts';
import { type Caller, type RoleName, type Scope, SECOND_FACTOR_SETUP, serviceCaller } from './caller.ts';
import { CallError } from './errors.ts';
import type { TokenVerifier } from './identity.ts';

/**
 * The access entry of an RPC. There is no default: a method without an entry does not compile.
 * - `'anyone'`: a token is ignored.
 * - `['operator']`: callers with these roles. A token with scopes is refused, whatever its scopes.
 * - `{ roles: ['customer'], scope: 'payments:read' }`: callers with these roles; a token with scopes must contain this one.
 * - `{ services: ['payment'] }`: only these services, by the certificate of the connection. A token is ignored.
 * - `{ roles, scope, services }`: a token decides. Without one, the call is in the name of one of these services.
 * - `recentLogin: true`, besides: people must have logged in a short time ago.
 * - `setup: true`, besides: also people who may do nothing else until they have set up a second factor.
 */
export type Access = 'anyone' | readonly RoleName[] | ScopedAccess | ServiceAccess;
export type AccessTable<S> = Record<keyof S, Access>;

export interface ScopedAccess {
  readonly roles: readonly RoleName[];
  readonly scope?: Scope;
  readonly services?: readonly string[];
  readonly recentLogin?: true;
  readonly setup?: true;
}

export interface ServiceAccess {
  readonly services: readonly string[];
}

/** The proofs of identity that a call carries. */
export interface Credentials {
  accessToken: string | undefined;
  /** The name in the verified certificate of the connection. */
  service: string | undefined;
}

/** Returns the caller if `access` lists it. Throws CallError otherwise. */
export async function admit(
  access: Access,
  { accessToken, service }: Credentials,
  { verifier, recentLoginS = RECENT_LOGIN_S }: { verifier: TokenVerifier; recentLoginS?: number },
): Promise<Caller | undefined> {
  if (access === 'anyone') return undefined;
  if (!isForUsers(access)) return admitService(access.services, { accessToken, service }, verifier);
  if (accessToken === undefined) {
    const { services = [] } = 'services' in access ? access : {};
    if (service !== undefined && services.includes(service)) return serviceCaller(service);
    throw new CallError('UNAUTHENTICATED', 'This call needs an access token.');
  }
  const caller = await verifier.verify(accessToken);
  requireAccess(caller, access);
  if ('roles' in access && access.recentLogin) requireRecentLogin(caller, recentLoginS);
  return caller;
}

function isForUsers(access: Exclude<Access, 'anyone'>): access is readonly RoleName[] | ScopedAccess {
  return 'roles' in access || !('services' in access);
}

async function admitService(
  services: readonly string[],
  { accessToken, service }: Credentials,
  verifier: TokenVerifier,
): Promise<Caller> {
  if (service !== undefined) {
    const caller = serviceCaller(service);
    if (services.includes(service)) return caller;
    throw refused(caller, 'SERVICE_NOT_ALLOWED', `The service ${service} may not do this.`);
  }
  if (accessToken === undefined) {
    throw new CallError('UNAUTHENTICATED', 'This call needs the certificate of a service.');
  }
  const caller = await verifier.verify(accessToken);
  throw refused(caller, 'ROLE_NOT_ALLOWED', 'Only a service may do this.');
}

/**
 * Also checks callers that reach an RPC in another way, such as the items of a batch. Throws SECOND_FACTOR_SETUP_REQUIRED,
 * ROLE_NOT_ALLOWED, INSUFFICIENT_SCOPE.
 */
export function requireAccess(caller: Caller, access: readonly RoleName[] | ScopedAccess): void {
  const { roles, scope = undefined, setup = false } = 'roles' in access ? access : { roles: access };
  if (caller.restrictedTo === undefined) requireRole(caller, roles);
  else requireSetup(caller, setup);
  requireScope(caller, scope);
}

function requireRole(caller: Caller, roles: readonly RoleName[]): void {
  if (caller.roles.some((role) => roles.includes(role))) return;
  throw refused(caller, 'ROLE_NOT_ALLOWED', 'Your role may not do this.');
}

/** A token that is restricted to the setup of a second factor has no other right. Throws SECOND_FACTOR_SETUP_REQUIRED. */
export function requireSetup(caller: Caller, isSetup: boolean): void {
  if (isSetup && caller.restrictedTo === SECOND_FACTOR_SETUP) return;
  throw refused(
    caller,
    'SECOND_FACTOR_SETUP_REQUIRED',
    'Your role needs a second factor. Set one up, then refresh the token.',
  );
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

/**
 * A stolen token or an unattended screen must not be enough for a dangerous action. Machines are exempt: each of their tokens, which
 * live minutes, comes from a login of its own. 0 seconds turn the check off. Throws LOGIN_TOO_OLD.
 */
function requireRecentLogin(caller: Caller, recentLoginS: number): void {
  const isMachine = caller.clientId !== undefined || caller.service !== undefined;
  if (recentLoginS === 0 || isMachine) return;
  const ageS = Date.now() / 1000 - (caller.loggedInAtS ?? 0);
  if (ageS > recentLoginS)
    throw refused(caller, 'LOGIN_TOO_OLD', 'Your login is too old for this: log in again.');
}

type RefusalReason =
  | 'ROLE_NOT_ALLOWED'
  | 'SERVICE_NOT_ALLOWED'
  | 'INSUFFICIENT_SCOPE'
  | 'LOGIN_TOO_OLD'
  | 'SECOND_FACTOR_SETUP_REQUIRED';

function refused(caller: Caller, reason: RefusalReason, message: string) {
  return new CallError(reason, message, { caller });
}
