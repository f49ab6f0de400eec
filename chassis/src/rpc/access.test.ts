import { describe, expect, it, vi } from 'vitest';
import { admit, requireAccess } from './access.ts';
import { type Caller, SECOND_FACTOR_SETUP } from './caller.ts';
import { CallError } from './errors.ts';

const customer: Caller = { id: 'usr_1', roles: ['customer'] };
const both: Caller = { id: 'usr_2', roles: ['customer', 'operator'] };
const scoped = (...scopes: Caller['scopes'] & object): Caller => ({ ...customer, clientId: 'cli_1', scopes });

type AccessOfUsers = Parameters<typeof requireAccess>[1];
const READ = { roles: ['customer'], scope: 'payments:read' } as const;
const OPERATORS = ['operator'] as const;

describe('a call', () => {
  it.each<[string, Caller, AccessOfUsers]>([
    ['with the role', customer, READ],
    ['with one of the roles', customer, ['operator', 'customer']],
    ['with the role among others', both, OPERATORS],
    ['with the scope', scoped('payments:read'), READ],
    ['with the scope among others', scoped('ledger:read', 'payments:read'), READ],
  ])('%s is allowed', (_, caller, access) => {
    expect(() => requireAccess(caller, access)).not.toThrow();
  });

  it.each<[string, Caller, AccessOfUsers, CallError['reason'], string]>([
    ['of another role', customer, OPERATORS, 'ROLE_NOT_ALLOWED', 'Your role may not do this.'],
    ['of no role', { id: 'usr_1', roles: [] }, READ, 'ROLE_NOT_ALLOWED', 'Your role may not do this.'],
    ['of no one', customer, [], 'ROLE_NOT_ALLOWED', 'Your role may not do this.'],
    [
      'with another scope',
      scoped('ledger:read'),
      READ,
      'INSUFFICIENT_SCOPE',
      'This needs the scope payments:read.',
    ],
    ['with no scope', scoped(), READ, 'INSUFFICIENT_SCOPE', 'This needs the scope payments:read.'],
    [
      'with scopes, where none is named',
      scoped('payments:read'),
      ['customer'],
      'INSUFFICIENT_SCOPE',
      'An API client may not do this, whatever its scopes.',
    ],
    [
      'of another role, with the scope',
      { ...scoped('payments:read'), roles: ['auditor'] },
      READ,
      'ROLE_NOT_ALLOWED',
      'Your role may not do this.',
    ],
  ])('%s is refused, and the refusal names the caller', (_, caller, access, reason, message) => {
    expect(() => requireAccess(caller, access)).toThrow(new CallError(reason, message, { caller }));
  });
});

describe('a caller that must set up a second factor', () => {
  const caller: Caller = { id: 'usr_1', roles: [], restrictedTo: SECOND_FACTOR_SETUP };

  it('may do only that', () => {
    expect(() => requireAccess(caller, { roles: OPERATORS, setup: true })).not.toThrow();
    for (const access of [OPERATORS, READ, { roles: OPERATORS, recentLogin: true } as const]) {
      expect(() => requireAccess(caller, access)).toThrow(
        expect.objectContaining({ reason: 'SECOND_FACTOR_SETUP_REQUIRED', caller }),
      );
    }
  });

  it('gets no other right from its roles, or from a restriction that this release does not know', () => {
    const withRoles = { ...caller, roles: OPERATORS };
    expect(() => requireAccess(withRoles, OPERATORS)).toThrow(
      expect.objectContaining({ reason: 'SECOND_FACTOR_SETUP_REQUIRED' }),
    );
    const unknown = { ...caller, restrictedTo: 'something_new' };
    expect(() => requireAccess(unknown, { roles: OPERATORS, setup: true })).toThrow();
  });
});

describe('admission', () => {
  const verifierOf = (verify: (token: string) => Promise<Caller>) => ({ verify: vi.fn(verify) });
  const known = () => verifierOf(async () => customer);
  const withToken = { accessToken: 'token', service: undefined };
  const of = (service: string) => ({ accessToken: undefined, service });

  it('to an open RPC reads no token', async () => {
    const verifier = known();
    expect(await admit('anyone', withToken, { verifier } as never)).toBeUndefined();
    expect(verifier.verify).not.toHaveBeenCalled();
  });

  it('to every other RPC needs a valid token of a listed caller', async () => {
    const missing = admit(READ, { accessToken: undefined, service: undefined }, {
      verifier: known(),
    } as never);
    await expect(missing).rejects.toThrow(
      new CallError('UNAUTHENTICATED', 'This call needs an access token.'),
    );
    expect(await admit(READ, withToken, { verifier: known() } as never)).toBe(customer);
    await expect(admit(OPERATORS, withToken, { verifier: known() } as never)).rejects.toMatchObject({
      reason: 'ROLE_NOT_ALLOWED',
    });
  });

  it("in a service's own name needs the certificate of a listed service, and no token", async () => {
    const verifier = known();
    for (const access of [{ services: ['payment'] }, { ...READ, services: ['payment'] }]) {
      expect(await admit(access, of('payment'), { verifier } as never)).toEqual({
        id: 'svc_payment',
        roles: [],
        service: 'payment',
      });
    }
    expect(verifier.verify).not.toHaveBeenCalled();
    await expect(admit({ services: ['payment'] }, of('ledger'), { verifier } as never)).rejects.toMatchObject(
      {
        reason: 'SERVICE_NOT_ALLOWED',
      },
    );
    await expect(
      admit({ ...READ, services: ['payment'] }, of('ledger'), { verifier } as never),
    ).rejects.toMatchObject({
      reason: 'UNAUTHENTICATED',
    });
    await expect(admit({ services: ['payment'] }, withToken, { verifier } as never)).rejects.toMatchObject({
      reason: 'ROLE_NOT_ALLOWED',
    });
  });
});

describe('a dangerous call', () => {
  const nowS = () => Math.floor(Date.now() / 1000);
  const call = (caller: Caller, recentLoginS?: number) =>
    admit({ roles: ['customer'], recentLogin: true }, { accessToken: 'token', service: undefined }, {
      verifier: { verify: async () => caller },
      ...(recentLoginS === undefined ? {} : { recentLoginS }),
    } as never);

  it.each<[string, Caller, number | undefined]>([
    ['shortly after the login', { ...customer, loggedInAtS: nowS() - 10 }, 60],
    ['of a machine, whenever it logged in', { ...customer, clientId: 'cli_1' }, 60],
    ['if the check is off', customer, 0],
  ])('is allowed %s', async (_, caller, recentLoginS) => {
    expect(await call(caller, recentLoginS)).toBe(caller);
  });

  it.each<[string, Caller]>([
    ['long after the login', { ...customer, loggedInAtS: nowS() - 3_600 }],
    ['of a person whose login is not known', customer],
  ])('is refused %s', async (_, caller) => {
    await expect(call(caller, 60)).rejects.toMatchObject({
      reason: 'LOGIN_TOO_OLD',
      message: 'Your login is too old for this: log in again.',
    });
  });
});
