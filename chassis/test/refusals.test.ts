import { AuthServiceClient, AuthServiceService } from '@payflowx/proto/auth';
import { afterEach, expect, it } from 'vitest';
import { type Access, bindService, type Caller, connectGrpc, serveGrpc } from '../src/index.ts';
import {
  createTestIdentity,
  PATIENCE_MS,
  recordingLog,
  type TestService,
  testCertificates,
  testPageTokenKey,
} from '../src/testing/index.ts';

const identity = createTestIdentity();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Sends one call of `getMe`, and returns the security events of the server. */
async function eventsOf(access: Access, accessToken: string | undefined, as?: TestService) {
  const { log, lines } = recordingLog();
  const service = bindService(
    { getMe: AuthServiceService.getMe },
    { access: { getMe: access }, errors: { domain: 'test', codeOf: () => undefined }, handlers: {} as never },
  );
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    certificates: testCertificates('auth'),
    verifier: identity.verifier,
    pageTokenKey: testPageTokenKey,
    log,
  };
  const server = await serveGrpc(settings, [
    { ...service, handlers: { getMe: async () => ({ user: undefined }) } },
  ]);
  closing.push(() => server.drain());
  const client = connectGrpc(AuthServiceClient, {
    target: `ipv4:127.0.0.1:${server.port}`,
    certificates: testCertificates(as),
  });
  closing.push(() => client.close());
  await client.getMe({}, { deadlineMs: PATIENCE_MS, accessToken }).catch(() => undefined);
  if (accessToken !== undefined) expect(JSON.stringify(lines)).not.toContain(accessToken);
  return lines.filter(({ security_event }) => security_event !== undefined);
}

const token = (caller: Partial<Caller>, life = {}) =>
  identity.tokenFor({ id: 'usr_1', roles: ['customer'], ...caller }, life);
const place = {
  route: '/payflowx.auth.v1.AuthService/GetMe',
  address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
};

it.each([
  ['without a token', async () => undefined, undefined],
  ['with an expired token', () => token({}, { expiresInS: -1 }), 'FAST_JWT_EXPIRED'],
  [
    'with a forged signature',
    async () => `${(await token({})).slice(0, -8)}AAAAAAAA`,
    'FAST_JWT_INVALID_SIGNATURE',
  ],
  ['with text that is no token', async () => 'nonsense', 'FAST_JWT_MALFORMED'],
])('a call %s is the event token_refused', async (_, given, detail) => {
  expect(await eventsOf(['customer'], await given())).toEqual([
    expect.objectContaining({ security_event: 'token_refused', level: 'warn', detail, ...place }),
  ]);
});

it('a caller without the role or the scope is the event access_refused, with the caller and its API client', async () => {
  const role = { security_event: 'access_refused', reason: 'ROLE_NOT_ALLOWED', subject: 'usr_1', ...place };
  expect(await eventsOf({ services: ['payment'] }, await token({}))).toEqual([expect.objectContaining(role)]);
  const machine = await token({ clientId: 'cli_1', scopes: ['ledger:read'] });
  const scope = { ...role, reason: 'INSUFFICIENT_SCOPE', client_id: 'cli_1' };
  const access = { roles: ['customer'], scope: 'payments:read' } as const;
  expect(await eventsOf(access, machine)).toEqual([expect.objectContaining(scope)]);
});

it('a service that the RPC does not list is the event access_refused, with its name', async () => {
  const refused = {
    security_event: 'access_refused',
    reason: 'SERVICE_NOT_ALLOWED',
    subject: 'svc_analytics',
  };
  expect(await eventsOf({ services: ['payment'] }, undefined, 'analytics')).toEqual([
    expect.objectContaining({ ...refused, ...place }),
  ]);
  expect(await eventsOf({ services: ['payment'] }, undefined, 'payment')).toEqual([]);
});
