/** Every parameter of a query string reaches the service that reads it. A filter that is lost lists the rows of others, or too many. */
import { status } from '@grpc/grpc-js';
import { AccountState, MandateState } from '@payflowx/proto/authorization';
import { DeadLetterReason } from '@payflowx/proto/dead-letters';
import { Direction, Layer } from '@payflowx/proto/ledger';
import { MailState, WebhookDeliveryState } from '@payflowx/proto/notification';
import { CaptureState, PaymentKind, PaymentState, RefundState } from '@payflowx/proto/payment';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { invalidFields } from '../src/problems/validation-errors.ts';
import {
  ALICE,
  BOB,
  DELIVERY_ID,
  ENDPOINT_ID,
  EVENT_ID,
  MANDATE_ID,
  PAYMENT_ID,
  RULE_ID,
  SESSION_ID,
  USER_ID,
} from './examples.ts';
import { DEFINITIONS, type Platform, Refusal, startPlatform } from './platform.ts';

let platform: Platform;
let requests: unknown[];
let parameters: string[];

beforeAll(async () => {
  platform = await startPlatform();
  const { paths } = (await (await fetch(`${platform.url}/openapi.json`)).json()) as Document;
  parameters = Object.entries(paths).flatMap(([path, { get }]) =>
    (get?.parameters ?? []).filter((each) => each.in === 'query').map(({ name }) => `${path} ${name}`),
  );
  // The requests are what is tested, so each service only records them.
  for (const [name, definition] of Object.entries(DEFINITIONS) as [keyof typeof DEFINITIONS, object][])
    for (const method of Object.keys(definition))
      if (method !== 'getJwks')
        platform.fakes[name][method] = (request: unknown) => {
          requests.push({ [method]: request });
          throw new Refusal('RECORDED', status.INTERNAL);
        };
});
afterAll(() => platform.close());

interface Document {
  paths: Record<string, { get?: { parameters?: { in: string; name: string }[] } }>;
}

const PAGE = 'limit=7&cursor=c-1';
const page = { pageSize: 7, pageToken: 'c-1' };
/** Times are different, so that two that were exchanged are noticed. */
const TIMES = 'created_after=2026-01-02T03:04:05.006Z&created_before=2026-02-03T04:05:06.007Z';
const times = {
  createdAfter: new Date('2026-01-02T03:04:05.006Z'),
  createdBefore: new Date('2026-02-03T04:05:06.007Z'),
};
const CHANGES = 'updated_after=2026-01-03T03:04:05.006Z&updated_before=2026-02-04T04:05:06.007Z';
const ACTOR = `actor_id=${USER_ID}`;
const SUBJECT = 'usr_0198c5b2-7a30-7c41-9d52-0f6b8a1c2eff';
const OPERATIONS = `payment_id=${PAYMENT_ID}&account_id=${ALICE}&${TIMES}&${PAGE}`;
const operations = { ...page, ...times, paymentId: PAYMENT_ID, accountId: ALICE };

/** Path, query string, and the request of the service. */
const ROUTES: [path: string, query: string, method: string, request: object][] = [
  [
    '/v1/users',
    `${PAGE}&username=Alice&external_id=customer-1`,
    'listUsers',
    { ...page, username: 'Alice', externalId: 'customer-1' },
  ],
  ['/v1/api-clients', `${PAGE}&user_id=${USER_ID}`, 'listApiClients', { ...page, userId: USER_ID }],
  ['/v1/auth/sessions', PAGE, 'listSessions', page],
  ['/v1/users/{id}/sessions', PAGE, 'listUserSessions', { ...page, userId: USER_ID }],
  [
    '/v1/accounts',
    `${PAGE}&owner_id=${USER_ID}&status=FROZEN&name=Rent&external_id=customer-1`,
    'listAccounts',
    { ...page, ownerId: USER_ID, state: AccountState.FROZEN, name: 'Rent', externalId: 'customer-1' },
  ],
  [
    '/v1/audit/accounts',
    `${PAGE}&account_id=${ALICE}&${ACTOR}`,
    'listAccountAuditRecords',
    { ...page, accountId: ALICE, actorId: USER_ID },
  ],
  [
    '/v1/audit/payments',
    `${PAGE}&account_id=${ALICE}&${ACTOR}`,
    'listPaymentAuditRecords',
    { ...page, accountId: ALICE, actorId: USER_ID },
  ],
  [
    '/v1/audit/webhooks',
    `${PAGE}&endpoint_id=${ENDPOINT_ID}&${ACTOR}`,
    'listWebhookAuditRecords',
    { ...page, endpointId: ENDPOINT_ID, actorId: USER_ID },
  ],
  [
    '/v1/audit/identities',
    `${PAGE}&subject_id=${SUBJECT}&${ACTOR}&action=user.disabled`,
    'listIdentityAuditRecords',
    { ...page, subjectId: SUBJECT, actorId: USER_ID, action: 'user.disabled' },
  ],
  [
    '/v1/audit/dead-letters',
    `limit=7&cursor=payment~c-1&${ACTOR}`,
    'listDeadLetterAuditRecords',
    { ...page, actorId: USER_ID },
  ],
  [
    '/v1/payments',
    `${PAGE}&${TIMES}&${CHANGES}&account_id=${ALICE}&state=FAILED&kind=deposit&from_account=${ALICE}&to_account=${BOB}&metadata[order]=4711&currency=EUR&reference=order-1&reference_prefix=order&mandate_id=${MANDATE_ID}&amount_min=5&amount_max=9&order=asc&expand=decision`,
    'listPayments',
    {
      ...page,
      ...times,
      updatedAfter: new Date('2026-01-03T03:04:05.006Z'),
      updatedBefore: new Date('2026-02-04T04:05:06.007Z'),
      accountId: ALICE,
      states: [PaymentState.FAILED],
      kind: PaymentKind.DEPOSIT,
      fromAccount: ALICE,
      toAccount: BOB,
      metadata: { order: '4711' },
      currency: 'EUR',
      reference: 'order-1',
      referencePrefix: 'order',
      mandateId: MANDATE_ID,
      amountMinMinor: 5n,
      amountMaxMinor: 9n,
      oldestFirst: true,
    },
  ],
  [
    '/v1/captures',
    `${OPERATIONS}&state=FAILED`,
    'listCaptures',
    { ...operations, state: CaptureState.FAILED },
  ],
  ['/v1/refunds', `${OPERATIONS}&state=FAILED`, 'listRefunds', { ...operations, state: RefundState.FAILED }],
  ['/v1/payments/{id}/refunds', PAGE, 'listRefunds', { ...page, paymentId: PAYMENT_ID }],
  [
    '/v1/mandates',
    `${PAGE}&${TIMES}&account_id=${ALICE}&from_account=${ALICE}&to_account=${BOB}&state=revoked&reference=gym`,
    'listMandates',
    {
      ...page,
      ...times,
      accountId: ALICE,
      fromAccount: ALICE,
      toAccount: BOB,
      state: MandateState.REVOKED,
      reference: 'gym',
    },
  ],
  ['/v1/rules', PAGE, 'listRules', page],
  ['/v1/rules/{id}/versions', PAGE, 'listRuleVersions', { ...page, ruleId: RULE_ID }],
  [
    '/v1/ledger/entries',
    `${PAGE}&${TIMES}&account_id=${ALICE}&payment_id=${PAYMENT_ID}&layer=posted&direction=credit&currency=EUR`,
    'listEntries',
    {
      ...page,
      ...times,
      accountId: ALICE,
      paymentId: PAYMENT_ID,
      layer: Layer.POSTED,
      direction: Direction.CREDIT,
      currency: 'EUR',
    },
  ],
  [
    '/v1/ledger/accounts/{id}/balance',
    'at=2026-01-02T03:04:05.006Z',
    'getAccountBalance',
    { accountId: ALICE, at: times.createdAfter },
  ],
  [
    '/v1/ledger/accounts/{id}/statement',
    `${PAGE}&from=2026-01-02T03:04:05.006Z&to=2026-02-03T04:05:06.007Z`,
    'getStatement',
    { ...page, accountId: ALICE, from: times.createdAfter, to: times.createdBefore },
  ],
  [
    '/v1/ledger/payments/{id}/receipt',
    'head_size=12',
    'getReceipt',
    { paymentId: PAYMENT_ID, headSize: 12n },
  ],
  ['/v1/ledger/reconciliations', PAGE, 'listReconciliations', page],
  [
    '/v1/notifications',
    `${PAGE}&payment_id=${PAYMENT_ID}&account_id=${ALICE}`,
    'listNotifications',
    { ...page, paymentId: PAYMENT_ID, accountId: ALICE },
  ],
  [
    '/v1/mails',
    `${PAGE}&user_id=${USER_ID}&state=failed&payment_id=${PAYMENT_ID}`,
    'listMails',
    { ...page, userId: USER_ID, paymentId: PAYMENT_ID, state: MailState.FAILED },
  ],
  ['/v1/mail-suppressions', PAGE, 'listMailSuppressions', page],
  [
    '/v1/events',
    `${PAGE}&${TIMES}&type=payment.failed,payment.refunded&payment_id=${PAYMENT_ID}&account_id=${ALICE}`,
    'listEvents',
    {
      ...page,
      ...times,
      types: ['payment.failed', 'payment.refunded'],
      paymentId: PAYMENT_ID,
      accountId: ALICE,
    },
  ],
  ['/v1/events/stream', 'type=payment.failed', 'followEvents', { types: ['payment.failed'] }],
  ['/v1/webhook-endpoints', PAGE, 'listWebhookEndpoints', page],
  [
    '/v1/webhook-deliveries',
    `${PAGE}&endpoint_id=${ENDPOINT_ID}&event_id=${EVENT_ID}&state=failed`,
    'listWebhookDeliveries',
    { ...page, endpointId: ENDPOINT_ID, eventId: EVENT_ID, state: WebhookDeliveryState.FAILED },
  ],
  ['/v1/analytics/summary', 'currency=EUR', 'getSummary', { currency: 'EUR' }],
  [
    '/v1/analytics/daily',
    'currency=EUR&from=2026-01-02&to=2026-02-03',
    'listDailyTotals',
    { currency: 'EUR', from: '2026-01-02', to: '2026-02-03' },
  ],
  [
    '/v1/dead-letters',
    'limit=7&cursor=payment~c-1&source=payment-outbox&reason=REFUSED',
    'listDeadLetters',
    { ...page, source: 'payment-outbox', reason: DeadLetterReason.REFUSED },
  ],
];

/** Parameters that the gateway itself applies to the response. Other tests cover them. */
const OWN = ['/v1/analytics/accounts/{id} currency', '/v1/search q'];

const IDS: Record<string, string> = {
  users: USER_ID,
  payments: PAYMENT_ID,
  rules: RULE_ID,
  accounts: ALICE,
  sessions: SESSION_ID,
  deliveries: DELIVERY_ID,
};

async function requestsOf(path: string, query: string): Promise<unknown[]> {
  requests = [];
  const url = path.replace(/([a-z]+)\/\{id\}/, (_, resource: string) => `${resource}/${IDS[resource]}`);
  const caller = { id: USER_ID, roles: ['operator', 'admin'] } as const;
  const authorization = `Bearer ${await platform.identity.tokenFor({ ...caller, roles: [...caller.roles] })}`;
  const answer = await fetch(`${platform.url}${url}?${query}`, { headers: { authorization } });
  expect(answer.status, await answer.text()).toBe(500);
  return requests;
}

it.each(ROUTES)('GET %s', async (path, query, method, request) => {
  expect(await requestsOf(path, query)).toEqual([{ [method]: expect.objectContaining(request) }]);
});

it('are named in errors of services as in the query string', () => {
  const unknown = ROUTES.flatMap(([path, query, , request]) => {
    const names = [...new URLSearchParams(query).keys()].map((name) => name.replace(/\[.*/, ''));
    const fields = Object.entries(request).filter(([, value]) => !path.includes('{id}') || !isId(value));
    return fields.flatMap(([field]) => {
      const name = field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      const [error] = invalidFields({ violations: [{ field: name, description: '' }] }, 'query');
      const parameter = error?.pointer.slice(1) ?? '';
      return error?.in === 'query' && names.includes(parameter) ? [] : [`${path} ${name}`];
    });
  });
  // Their texts are `status` and `order` in REST, whose schemas have all values that a service accepts.
  expect(unknown).toEqual(['/v1/accounts state', '/v1/payments oldest_first']);
});

const isId = (value: unknown) => Object.values(IDS).includes(value as string);

it('are all here: the parameters of every list', () => {
  const tested = ROUTES.flatMap(([path, query]) =>
    [...new URLSearchParams(query).keys()].map((name) => `${path} ${name.replace(/\[.*/, '')}`),
  );
  expect([...tested, ...OWN].toSorted()).toEqual(parameters.toSorted());
});
