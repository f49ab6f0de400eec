import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, eventually, openAccount, type Payment, people, readDemo } from '../src/platform.ts';
import { type Body, expectStatus } from '../src/rest.ts';
import { type Rpc, reflectedRpcs } from '../src/rpc.ts';

const demo = readDemo();
const { operator, alice, bob } = people(demo);

let from: Account;
let to: Account;
let held: Payment;
let manual: Payment;
let rule: { id: string };
let hook: string;
const made: { owner: typeof alice; id: string }[] = [];
let rpcs: Map<string, Rpc>;
let document: Body;

beforeAll(async () => {
  rpcs = new Map([...(await reflectedRpcs())].map(([name, rpc]) => [name.split('.').at(-1) ?? '', rpc]));
  document = (await operator.get('/openapi.json')).body;
  [from, to] = await Promise.all([
    openAccount(operator, alice.user, 100_000),
    openAccount(operator, bob.user, 100_000),
  ]);
  hook = await makeEndpoint();
  held = await pay();
  manual = await pay({ capture: 'manual' });
  const body = { name: `paging-${held.id}`, expression: 'false', action: 'shadow' as const, enabled: false };
  rule = (await operator.api.post('/v1/rules', { body })).data;
});

async function pay(given: { capture?: 'manual' } = {}): Promise<Payment> {
  const body = { from_account: from.id, to_account: to.id, amount: 100, currency: 'EUR', ...given };
  return (await alice.api.post('/v1/payments', { body })).data;
}

/** No server listens there. In turn for two users, because a user may have a limited number. */
async function makeEndpoint(): Promise<string> {
  const owner = made.length % 2 === 0 ? alice : bob;
  const type = made.length === 0 ? ('payment.completed' as const) : ('payment.expired' as const);
  const body = { url: 'http://127.0.0.1:9/', event_types: [type] };
  const { data } = await owner.api.post('/v1/webhook-endpoints', { body });
  made.push({ owner, id: data.id });
  return data.id;
}
afterAll(async () => {
  for (const { owner, id } of made)
    await owner.api.delete('/v1/webhook-endpoints/{id}', { params: { path: { id } } });
});
const credentialsOf = ({ user: { username, password } }: typeof operator) => ({ username, password });

/** Actions that add one or two rows at the front of a list. */
const ADD = {
  user: () =>
    operator.post('/v1/users', {
      username: `user-${randomUUID()}`,
      password: randomUUID(),
      roles: ['customer'],
    }),
  session: () => operator.post('/v1/auth/login', credentialsOf(operator), { key: null }),
  client: () =>
    operator.post('/v1/api-clients', { name: 'Page', user_id: alice.user.id, scopes: ['accounts:read'] }),
  account: () => openAccount(operator, alice.user, 0),
  accountChange: async () => {
    await operator.post(`/v1/accounts/${from.id}/freeze`, {});
    await operator.post(`/v1/accounts/${from.id}/unfreeze`, {});
  },
  payment: () => pay(),
  capture: () => alice.post(`/v1/payments/${manual.id}/capture`, { amount: 1 }),
  deposit: () =>
    operator.api.post('/v1/deposits', { body: { account_id: from.id, amount: 1, currency: 'EUR' } }),
  refund: () => bob.post(`/v1/payments/${held.id}/refunds`, { amount: 1 }),
  mandate: () =>
    alice.post('/v1/mandates', {
      from_account: from.id,
      to_account: to.id,
      valid_until: new Date(Date.now() + DAY_MS).toISOString(),
    }),
  rule: () =>
    operator.post('/v1/rules', {
      name: `paging-${randomUUID()}`,
      expression: 'false',
      action: 'shadow',
      enabled: false,
    }),
  ruleVersion: async () => {
    const { body } = await operator.get(`/v1/rules/${rule.id}`);
    const headers = { 'if-match': `"${body.version}"` };
    await operator.send('PATCH', `/v1/rules/${rule.id}`, { message: `Version ${body.version}` }, { headers });
  },
  redrive: () => operator.post('/v1/dead-letters/redrive', { source: 'payment-notifications' }),
  reconciliation: () => operator.post('/v1/ledger/reconciliations', {}),
  // No mail server would accept such an address, so notification suppresses it: a row in each of two lists, a moment later.
  mail: async () => {
    const { body } = await ADD.user();
    const email = `not,plain-${randomUUID()}@example.org`;
    const headers = { 'if-match': '"1"' };
    await operator.send('PATCH', `/v1/users/${body.id}`, { email }, { headers });
  },
  endpoint: makeEndpoint,
  endpointChange: async () => {
    for (const state of ['disabled', 'enabled'])
      await operator.send('PATCH', `/v1/webhook-endpoints/${hook}`, { state });
  },
  nothing: async () => undefined,
} as const;

const DAY_MS = 86_400_000;
/** A period that has not ended, so its statement grows at the end. */
const PERIOD = new URLSearchParams({
  from: new Date(Date.now() - DAY_MS).toISOString(),
  to: new Date(Date.now() + DAY_MS).toISOString(),
}).toString();

/** Every list of REST, with its query and the action that adds a row. */
const ROUTES: Record<string, { query?: () => string; path?: () => string; add: keyof typeof ADD }> = {
  '/v1/users': { add: 'user' },
  '/v1/users/{id}/sessions': { path: () => operator.user.id, add: 'session' },
  '/v1/auth/sessions': { add: 'session' },
  '/v1/api-clients': { add: 'client' },
  '/v1/audit/identities': { add: 'user' },
  '/v1/audit/payments': { query: () => `account_id=${from.id}`, add: 'deposit' },
  '/v1/audit/accounts': { query: () => `account_id=${from.id}`, add: 'accountChange' },
  '/v1/accounts': { add: 'account' },
  '/v1/payments': { query: () => `account_id=${from.id}`, add: 'payment' },
  '/v1/payments/{id}/refunds': { path: () => held.id, add: 'refund' },
  '/v1/captures': { query: () => `payment_id=${manual.id}`, add: 'capture' },
  '/v1/refunds': { query: () => `account_id=${from.id}`, add: 'refund' },
  '/v1/mandates': { query: () => `account_id=${from.id}`, add: 'mandate' },
  '/v1/rules': { add: 'rule' },
  '/v1/rules/{id}/versions': { path: () => rule.id, add: 'ruleVersion' },
  '/v1/ledger/entries': { query: () => `account_id=${from.id}`, add: 'payment' },
  '/v1/ledger/accounts/{id}/statement': { path: () => from.id, query: () => PERIOD, add: 'payment' },
  '/v1/ledger/reconciliations': { add: 'reconciliation' },
  // A mail that failed does not change any more.
  '/v1/mails': { query: () => 'state=failed', add: 'mail' },
  '/v1/mail-suppressions': { add: 'mail' },
  '/v1/events': { query: () => `account_id=${from.id}`, add: 'payment' },
  '/v1/webhook-endpoints': { add: 'endpoint' },
  '/v1/webhook-deliveries': { query: () => `endpoint_id=${hook}`, add: 'payment' },
  '/v1/audit/webhooks': { query: () => `endpoint_id=${hook}`, add: 'endpointChange' },
  '/v1/audit/dead-letters': { add: 'redrive' },
  '/v1/notifications': { query: () => `account_id=${from.id}`, add: 'payment' },
};

/** Every list of gRPC but those that no operator may call: account figures, for services, and account ids, for customers. */
const RPCS: Record<string, { request?: () => object; add: keyof typeof ADD }> = {
  'AuthService/ListUsers': { add: 'user' },
  'AuthService/ListSessions': { add: 'session' },
  'AuthService/ListUserSessions': { request: () => ({ user_id: operator.user.id }), add: 'session' },
  'AuthService/ListApiClients': { add: 'client' },
  'AuthService/ListIdentityAuditRecords': { add: 'user' },
  'AccountService/ListAccounts': { add: 'account' },
  'AccountService/ListAccountAuditRecords': {
    request: () => ({ account_id: from.id }),
    add: 'accountChange',
  },
  'AccountService/ListBalances': { add: 'nothing' },
  'MandateService/ListMandates': { request: () => ({ account_id: from.id }), add: 'mandate' },
  'RuleService/ListRules': { add: 'rule' },
  'RuleService/ListRuleVersions': { request: () => ({ rule_id: rule.id }), add: 'ruleVersion' },
  'PaymentService/ListPayments': { request: () => ({ account_id: from.id }), add: 'payment' },
  'PaymentService/ListPaymentAuditRecords': { request: () => ({ account_id: from.id }), add: 'deposit' },
  'PaymentService/ListCaptures': { request: () => ({ payment_id: manual.id }), add: 'capture' },
  'PaymentService/ListRefunds': { request: () => ({ payment_id: held.id }), add: 'refund' },
  'LedgerService/ListEntries': { request: () => ({ account_id: from.id }), add: 'payment' },
  'LedgerService/GetStatement': {
    request: () => ({ account_id: from.id, ...secondsOf(PERIOD) }),
    add: 'payment',
  },
  'ReconciliationService/ListReconciliations': { add: 'reconciliation' },
  'MailService/ListMails': { request: () => ({ state: 'MAIL_STATE_FAILED' }), add: 'mail' },
  'MailService/ListMailSuppressions': { add: 'mail' },
  'NotificationService/ListEvents': { request: () => ({ account_id: from.id }), add: 'payment' },
  'NotificationService/ListWebhookEndpoints': { add: 'endpoint' },
  'NotificationService/ListWebhookDeliveries': { request: () => ({ endpoint_id: hook }), add: 'payment' },
  'NotificationService/ListWebhookAuditRecords': {
    request: () => ({ endpoint_id: hook }),
    add: 'endpointChange',
  },
  'DeadLetterService/ListDeadLetterAuditRecords': { add: 'redrive' },
  'NotificationService/ListNotifications': { request: () => ({ account_id: from.id }), add: 'payment' },
};

function secondsOf(query: string): object {
  const parameters = [...new URLSearchParams(query)];
  return Object.fromEntries(
    parameters.map(([name, at]) => [name, { seconds: Math.floor(Date.parse(at) / 1_000) }]),
  );
}

interface Page {
  rows: unknown[];
  next: string | null;
}
type Ask = (size: number, cursor: string | null) => Promise<Page>;

/** Enough for several pages. The rest of a long list is not read. */
const ROWS = 12;
const PAGE = 3;

/** Deliveries change while they are read, and captures and refunds have the totals of their payment. So their id names them. */
const CHANGING = /^(whd|cap|ref)_/;

function nameOf(row: unknown): string {
  const { id = '' } = row as { id?: string };
  return CHANGING.test(id) ? id : JSON.stringify(row);
}

/** Reads all pages of the initial rows, while a row is added before every page. */
async function expectEachOnce(ask: Ask, add: () => Promise<unknown>): Promise<void> {
  const there = await eventually(async () => {
    const { rows } = await ask(ROWS, null);
    expect(rows.length).toBe(ROWS);
    return new Set(rows.map(nameOf));
  });
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    await add();
    const page: Page = await ask(PAGE, cursor);
    seen.push(...page.rows.map(nameOf));
    cursor = page.next;
  } while (cursor !== null && [...there].some((name) => !seen.includes(name)));
  expect(seen.filter((name) => there.has(name))).toEqual([...there]);
  expect(new Set(seen).size, 'a row came twice').toBe(seen.length);
}

describe('there are no duplicates and no gaps while rows are added:', () => {
  it.each(Object.entries(ROUTES))('%s', async (route, { path, query, add }) => {
    for (let made = 0; made < ROWS; made += 1) await ADD[add]();
    await expectEachOnce(async (size, cursor) => {
      const parameters = new URLSearchParams(query?.());
      parameters.set('limit', String(size));
      if (cursor !== null) parameters.set('cursor', cursor);
      const answer = await operator.get(`${route.replace('{id}', path?.() ?? '')}?${parameters}`);
      const { data, next_cursor } = expectStatus(answer, 200);
      return { rows: data, next: next_cursor };
    }, ADD[add]);
  });

  it.each(Object.entries(RPCS))('%s', async (name, { request, add }) => {
    const token = await operator.api.accessToken();
    await expectEachOnce(async (size, cursor) => {
      const message = { ...request?.(), page_size: size, page_token: cursor ?? '' };
      const { code, response, message: said } = await (rpcs.get(name) as Rpc).call(message, token);
      expect(`${code} ${said}`).toBe('OK ');
      const rows = Object.values(response as object).find(Array.isArray) ?? [];
      return { rows, next: response.next_page_token || null };
    }, ADD[add]);
  });
});

/** No caller can make a dead letter. The tests of the chassis read their pages. */
const isOfDeadLetters = (list: string) => /^\/v1\/dead-letters$|\/ListDeadLetters$/.test(list);

it('covers every list', () => {
  const lists = Object.entries<Body>(document.paths).flatMap(([path, { get }]) =>
    get?.parameters?.some(({ name }: Body) => name === 'cursor') ? path : [],
  );
  expect(Object.keys(ROUTES).toSorted()).toEqual(lists.filter((path) => !isOfDeadLetters(path)).toSorted());
  const paged = [...rpcs].flatMap(([name, rpc]) => (rpc.takes('page_token') ? name : []));
  expect(Object.keys(RPCS).toSorted()).toEqual(
    paged.filter((name) => !/\/ListAccount(Figures|Ids)$/.test(name) && !isOfDeadLetters(name)).toSorted(),
  );
});
