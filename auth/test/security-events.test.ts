import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { createDecoder } from 'fast-jwt';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  type AuthWithUsers,
  PASSWORD,
  refusal,
  startAuthWithUsers,
  tokensOf,
  withSecret,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
let auth: AuthWithUsers;
let admin: string;
let customerId: string;

beforeAll(async () => {
  auth = await startAuthWithUsers();
  const tokens = await tokensOf(auth);
  admin = tokens.admin;
  customerId = createDecoder()(tokens.customer).sub;
  auth.stopClockAt(new Date());
});
afterAll(() => auth?.stop());
beforeEach(() => {
  auth.logged.length = 0;
});

const events = () => auth.logged.filter(({ security_event }) => security_event !== undefined);

/** A login that the gateway sends for a client at `clientAddress`. */
const login = (username: string, password: string, clientAddress: string) =>
  auth.gateway.login({ username, password, clientAddress }, { deadlineMs });

it('a failed login names the user if there is one, the address, and never the name or the password as typed', async () => {
  const route = '/payflowx.auth.v1.AuthService/Login';
  await refusal(login('customer', 'a guessed one', '192.0.2.1'));
  await refusal(login('typed as a name', 'a guessed one', '192.0.2.2'));
  expect(events()).toMatchObject([
    { security_event: 'login_failed', subject: customerId, address: '192.0.2.1', route },
    { security_event: 'login_failed', subject: undefined, address: '192.0.2.2', route },
  ]);
  expect(JSON.stringify(auth.logged)).not.toMatch(/typed|guessed/);
});

it('a login that is delayed is login_throttled', async () => {
  for (let tries = 0; tries < 6; tries += 1) await refusal(login('customer', 'wrong', '192.0.2.3'));
  const last = { security_event: 'login_throttled', address: '192.0.2.3' };
  expect(events().at(-1)).toMatchObject(last);
});

it('a machine with a wrong secret is client_login_failed', async () => {
  const wanted = { requestId: '', name: 'shop', userId: customerId, scopes: ['payments:read'] };
  const { client } = await auth.client.createApiClient(wanted, { deadlineMs, accessToken: admin });
  const clientId = client?.id ?? '';
  auth.logged.length = 0;
  await refusal(auth.client.loginClient(withSecret(clientId, 'guess-1'), { deadlineMs }));
  await refusal(auth.client.loginClient(withSecret('cli_nobody', 'guess-2'), { deadlineMs }));
  expect(events()).toMatchObject([
    { security_event: 'client_login_failed', client_id: clientId, subject: customerId },
    { security_event: 'client_login_failed' },
  ]);
  expect(events()[1]).not.toHaveProperty('client_id');
  expect(JSON.stringify(auth.logged)).not.toMatch(/guess-/);
});

it('a refused refresh is one event: a stolen token with its user and family, any other without', async () => {
  const { tokens } = await login('customer', PASSWORD, '192.0.2.4');
  const refreshToken = tokens?.refreshToken ?? '';
  const refresh = (refreshToken: string, requestId: string) =>
    auth.client.refreshTokens({ refreshToken, requestId }, { deadlineMs });
  await refresh(refreshToken, 'key-1');
  // A retry of the same request gets tokens, and leaves no event.
  await refresh(refreshToken, 'key-1');
  expect(events()).toEqual([]);
  await refusal(refresh(refreshToken, 'key-2'));
  await refusal(refresh('unknown', 'key-3'));
  expect(events()).toMatchObject([
    {
      security_event: 'refresh_token_reused',
      subject: customerId,
      family_id: expect.stringMatching(/^fam_/),
    },
    { security_event: 'refresh_refused' },
  ]);
  expect(JSON.stringify(auth.logged)).not.toContain(refreshToken);
});
