import { createPayFlowX } from '@payflowx/client';
import { beforeAll, describe, expect, it } from 'vitest';
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

/** The demo's operator has both roles, so users with one role each are created here. */
async function tokenOfNew(role: 'operator' | 'admin'): Promise<string> {
  const user = { username: `${role}-${crypto.randomUUID()}`, password: crypto.randomUUID() };
  await operator.api.post('/v1/users', { body: { ...user, roles: [role] } });
  return createPayFlowX({ gateway: demo.gateway, as: user }).accessToken();
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
  const { data: payment } = await alice.api.post('/v1/payments', { body });
  const query = { payment_id: payment.id };
  const transactionId = await eventually(async () => {
    const { data } = await alice.api.get('/v1/ledger/entries', { params: { query } });
    return (data.data[0] as (typeof data.data)[0]).transaction_id;
  });
  const { data: rule } = await operator.api.post('/v1/rules', {
    body: { name: `access-${payment.id}`, expression: 'false', action: 'shadow', enabled: false },
  });
  const { data: reconciliation } = await operator.api.post('/v1/ledger/reconciliations', { body: {} });
  const [client, spare] = await Promise.all(['Narrow', 'Spare'].map(makeClient));
  return {
    ...{ account, payment, transactionId, demo, owner: alice },
    ...{ ruleId: rule.id, reconciliationId: reconciliation.id },
    client: client as Subject['client'],
    spareClientId: spare?.id ?? '',
  };
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
): Promise<string> {
  const outcomes: string[] = [];
  for (const [index, caller] of CALLERS.entries()) {
    const outcome = await attempt(tokens[caller]);
    const wanted = expected.split(' ')[index];
    // An empty list counts as allowed too.
    outcomes.push(outcome === 'none' && wanted === 'ok' ? 'ok' : outcome);
  }
  return outcomes.join(' ');
}

async function tryRoute(route: string, token: string | undefined): Promise<string> {
  const { path, body } = await restRequest(route, subject);
  const request = { key: crypto.randomUUID(), headers: { 'if-match': '"1"' }, ...(token && { token }) };
  const answer = await rest.send(route.split(' ')[0] ?? '', path, body, request);
  if ([401, 403, 404].includes(answer.status)) {
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    return String(answer.status);
  }
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(500);
  expect(answer.status, JSON.stringify(answer.body)).not.toBe(400);
  return about(answer.body);
}

const REFUSALS: Record<string, string> = {
  UNAUTHENTICATED: '401',
  PERMISSION_DENIED: '403',
  NOT_FOUND: '404',
};
const BROKEN = ['UNKNOWN', 'INTERNAL', 'UNIMPLEMENTED', 'UNAVAILABLE', 'DEADLINE_EXCEEDED'];

async function tryRpc(name: string, token: string | undefined): Promise<string> {
  const { code, response, message } = await (rpcs.get(name) as Rpc).call(
    await rpcRequest(name, subject),
    token,
  );
  expect(BROKEN, `${code} ${message}`).not.toContain(code);
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
    expect(await tryAll(attempt, outcomes)).toBe(outcomes);
  });

  it('a forged token is refused on every route and RPC that is not public', async () => {
    const forged = 'eyJhbGciOiJub25lIn0.e30.';
    for (const { name, outcomes } of lines.filter(({ outcomes }) => outcomes.startsWith('401'))) {
      const outcome = name.includes(' ') ? tryRoute(name, forged) : tryRpc(name, forged);
      expect(`${name} ${await outcome}`, outcomes).toBe(`${name} 401`);
    }
  });
});
