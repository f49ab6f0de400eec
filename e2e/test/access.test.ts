import { createPayFlowX } from '@payflowx/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { restRequest, rpcRequest, type Subject } from '../src/access-requests.ts';
import { ACCESS, CALLERS, type CallerName } from '../src/access-table.ts';
import { eventually, openAccount, people, readDemo } from '../src/platform.ts';
import { type Body, restClient } from '../src/rest.ts';
import { type Rpc, reflectedRpcs } from '../src/rpc.ts';

const demo = readDemo();
const { operator, auditor, alice, bob } = people(demo);
const rest = restClient(demo.gateway);

let subject: Subject;
let tokens: Record<CallerName, string | undefined>;
let rpcs: Map<string, Rpc>;
let routes: string[];

beforeAll(async () => {
  rpcs = new Map([...(await reflectedRpcs())].map(([name, rpc]) => [name.split('.').at(-1) ?? '', rpc]));
  routes = routesOf((await rest.get('/openapi.json')).body);
  subject = await makeSubject();
  const { id: clientId, secret: clientSecret } = subject.client;
  const client = createPayFlowX({ gateway: demo.gateway, as: { clientId, clientSecret } });
  tokens = {
    nobody: undefined,
    owner: await alice.api.accessToken(),
    stranger: await bob.api.accessToken(),
    auditor: await auditor.api.accessToken(),
    operator: await tokenOfNew('operator'),
    admin: await tokenOfNew('admin'),
    client: await client.accessToken(),
  };
});

/** The tests make several, and a user may have a limited number. */
afterAll(async () => {
  for (const { api, user } of [alice, bob, operator])
    for await (const { id, owner_id, url } of api.list('/v1/webhook-endpoints'))
      if (owner_id === user.id && url === 'http://127.0.0.1:9/')
        await api.delete('/v1/webhook-endpoints/{id}', { params: { path: { id } } });
});

/** The demo's operator has both roles, so users with one role each are created here. */
async function tokenOfNew(role: 'customer' | 'operator' | 'auditor' | 'admin'): Promise<string> {
  const user = { username: `${role}-${crypto.randomUUID()}`, password: crypto.randomUUID() };
  await operator.api.post('/v1/users', { body: { ...user, roles: [role] } });
  return createPayFlowX({ gateway: demo.gateway, as: user }).accessToken();
}

/** These end all sessions of their caller, so other users with the same roles call them. */
const ENDING = ['POST /v1/auth/logout-everywhere', 'AuthService/RevokeAllSessions'];

async function tokensOfOthers(): Promise<typeof tokens> {
  return {
    ...tokens,
    owner: await tokenOfNew('customer'),
    stranger: await tokenOfNew('customer'),
    auditor: await tokenOfNew('auditor'),
    operator: await tokenOfNew('operator'),
    admin: await tokenOfNew('admin'),
  };
}

function routesOf({ paths }: { paths: Record<string, object> }): string[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

async function makeSubject(): Promise<Subject> {
  const account = await openAccount(operator, alice.user, 500);
  const other = await openAccount(operator, alice.user, 0);
  const body = { from_account: account.id, to_account: other.id, amount: 100, currency: 'EUR' };
  // No server listens there.
  const endpoint = { url: 'http://127.0.0.1:9/', event_types: ['payment.completed' as const] };
  const { data: hook } = await alice.api.post('/v1/webhook-endpoints', { body: endpoint });
  const { data: payment } = await alice.api.post('/v1/payments', { body });
  const { data: held } = await alice.api.post('/v1/payments', { body: { ...body, capture: 'manual' } });
  await alice.post(`/v1/payments/${held.id}/capture`, { amount: 1 });
  const { body: refund } = await alice.post(`/v1/payments/${held.id}/refunds`, { amount: 1 });
  const captures = await alice.get(`/v1/captures?payment_id=${held.id}`);
  const query = { payment_id: payment.id };
  const transactionId = await eventually(async () => {
    const { data } = await alice.api.get('/v1/ledger/entries', { params: { query } });
    return (data.data[0] as (typeof data.data)[0]).transaction_id;
  });
  const { data: rule } = await operator.api.post('/v1/rules', {
    body: { name: `access-${payment.id}`, expression: 'false', action: 'shadow', enabled: false },
  });
  const validUntil = new Date(Date.now() + 86_400_000).toISOString();
  const { data: mandate } = await alice.api.post('/v1/mandates', {
    body: { from_account: account.id, to_account: other.id, valid_until: validUntil },
  });
  const { data: reconciliation } = await operator.api.post('/v1/ledger/reconciliations', { body: {} });
  const delivery = await eventually(async () => {
    const found = await alice.api.get('/v1/webhook-deliveries', {
      params: { query: { endpoint_id: hook.id } },
    });
    return found.data.data[0] as (typeof found.data.data)[0];
  });
  const [client, spare] = await Promise.all(['Narrow', 'Spare'].map(makeClient));
  return {
    ...{ account, payment, transactionId, demo, owner: alice },
    ...{ captureId: captures.body.data[0].id, refundId: refund.id },
    ...{ mandateId: mandate.id, ruleId: rule.id, reconciliationId: reconciliation.id },
    client: client as Subject['client'],
    spareClientId: spare?.id ?? '',
    ...{ endpointId: hook.id, deliveryId: delivery.id, eventId: delivery.event_id },
    spareUserId: await makeUser(),
    sessionId: await makeSession(),
  };
}

async function makeUser(): Promise<string> {
  const body = { username: `spare-${crypto.randomUUID()}`, password: crypto.randomUUID() };
  const { data } = await operator.api.post('/v1/users', { body: { ...body, roles: ['customer'] } });
  return data.id;
}

async function makeSession(): Promise<string> {
  const { username, password } = alice.user;
  await createPayFlowX({ gateway: demo.gateway, as: { username, password } }).accessToken();
  const { data } = await alice.api.get('/v1/auth/sessions');
  return data.data[0]?.id ?? '';
}

async function makeClient(name: string): Promise<Subject['client']> {
  const body = { name, user_id: alice.user.id, scopes: ['accounts:read' as const] };
  const { data } = await operator.api.post('/v1/api-clients', { body });
  return { id: data.client.id, secret: data.client_secret ?? '' };
}

/** The outcome of every caller, in the format of the table. */
async function tryAll(
  attempt: (token: string | undefined) => Promise<string>,
  expected: string,
  tokensOf = tokens,
): Promise<string> {
  const outcomes: string[] = [];
  for (const [index, caller] of CALLERS.entries()) {
    const outcome = await attempt(tokensOf[caller]);
    const wanted = expected.split(' ')[index];
    // An empty list counts as allowed too.
    outcomes.push(outcome === 'none' && wanted === 'ok' ? 'ok' : outcome);
  }
  return outcomes.join(' ');
}

async function tryRoute(route: string, token: string | undefined): Promise<string> {
  const { path, body } = await restRequest(route, subject);
  if (route === 'GET /v1/events/stream') return statusOfStream(path, token);
  const request = { key: crypto.randomUUID(), headers: { 'if-match': '"1"' }, ...(token && { token }) };
  const answer = await rest.send(route.split(' ')[0] ?? '', path, body, request);
  // The credentials of the body are wrong, so the caller was admitted.
  if (WRONG.includes(answer.body?.code)) return 'none';
  if ([401, 403, 404].includes(answer.status)) {
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    return String(answer.status);
  }
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(500);
  expect(answer.status, JSON.stringify(answer.body)).not.toBe(400);
  return about(answer.body);
}

/** The stream itself would last until the token expires. */
async function statusOfStream(path: string, token: string | undefined): Promise<string> {
  const closing = new AbortController();
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const { status } = await fetch(new URL(path, demo.gateway), { headers, signal: closing.signal });
  closing.abort();
  return status === 200 ? 'ok' : String(status);
}
const WRONG: unknown[] = ['INVALID_CREDENTIALS', 'INVALID_SECOND_FACTOR', 'INVALID_REFRESH_TOKEN'];

const REFUSALS: Record<string, string> = {
  UNAUTHENTICATED: '401',
  PERMISSION_DENIED: '403',
  NOT_FOUND: '404',
};
const BROKEN = ['UNKNOWN', 'INTERNAL', 'UNIMPLEMENTED', 'UNAVAILABLE', 'DEADLINE_EXCEEDED'];

async function tryRpc(name: string, token: string | undefined): Promise<string> {
  const { code, response, message, reason } = await (rpcs.get(name) as Rpc).call(
    await rpcRequest(name, subject),
    token,
  );
  expect(BROKEN, `${code} ${message}`).not.toContain(code);
  if (WRONG.includes(reason)) return 'none';
  return REFUSALS[code] ?? about(response);
}

function about(body: Body): string {
  const text = JSON.stringify(body);
  return text.includes(subject.account.id) || text.includes(subject.payment.id) ? 'ok' : 'none';
}

const lines = ACCESS.map(({ name, outcomes }) => ({ name, outcomes }));

describe('the table', () => {
  it('has every route and RPC, and no other', () => {
    expect(lines.map(({ name }) => name).toSorted()).toEqual([...routes, ...rpcs.keys()].toSorted());
  });
});

describe(`${CALLERS.join(', ')}:`, () => {
  it.each(lines)('$name: $outcomes', async ({ name, outcomes }) => {
    const attempt = (token: string | undefined) =>
      name.includes(' ') ? tryRoute(name, token) : tryRpc(name, token);
    const callers = ENDING.includes(name) ? await tokensOfOthers() : tokens;
    expect(await tryAll(attempt, outcomes, callers)).toBe(outcomes);
  });

  it('a forged token is refused on every route and RPC that is not public', async () => {
    const forged = 'eyJhbGciOiJub25lIn0.e30.';
    for (const { name, outcomes } of lines.filter(({ outcomes }) => outcomes.startsWith('401'))) {
      const outcome = name.includes(' ') ? tryRoute(name, forged) : tryRpc(name, forged);
      expect(`${name} ${await outcome}`, outcomes).toBe(`${name} 401`);
    }
  });
});
