import { status as grpc } from '@grpc/grpc-js';
import { toRpcStatus } from '@payflowx/chassis';
import { testLog } from '@payflowx/chassis/testing';
import type { BatchCreateAccountsRequest } from '@payflowx/proto/authorization';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { account, USER_ID } from './examples.ts';
import { type Platform, Refusal, refusals, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
});
afterAll(() => platform.close());

const open = (accounts: unknown[], key?: string) =>
  client.call('POST', '/v1/accounts/batch', { as: 'operator', body: { accounts }, ...(key && { key }) });
const wanted = { owner_id: USER_ID, currency: 'EUR' };

function answerWith(outcomes: ('open' | Refusal)[]): BatchCreateAccountsRequest[] {
  const requests: BatchCreateAccountsRequest[] = [];
  platform.fakes.authorization.batchCreateAccounts = (request: BatchCreateAccountsRequest) => {
    requests.push(request);
    const results = outcomes.map((outcome) =>
      outcome === 'open'
        ? { $case: 'account', value: account }
        : { $case: 'error', value: toRpcStatus(outcome, refusals, testLog) },
    );
    return { results: results.map((result) => ({ result })) };
  };
  return requests;
}

it('opens each account, or says why not, in the order of the request', async () => {
  const violations = [{ field: 'limits.daily_minor', description: 'is too much' }];
  const invalid = new Refusal('INVALID_ARGUMENT', grpc.INVALID_ARGUMENT, { violations });
  const requests = answerWith(['open', new Refusal('OWN_ACCOUNT', grpc.PERMISSION_DENIED), invalid]);
  const { status, body } = await open([
    { ...wanted, external_id: 'c-1', limits: { daily: 5 }, time_zone: 'Europe/Berlin' },
    { ...wanted, name: 'Mine', metadata: { a: '1' } },
    wanted,
  ]);
  expect(status).toBe(200);
  expect(body.data).toEqual([
    { account: expect.objectContaining({ id: account.id, status: 'ACTIVE' }) },
    { error: expect.objectContaining({ code: 'OWN_ACCOUNT', status: 403 }) },
    {
      error: expect.objectContaining({
        code: 'INVALID_REQUEST',
        errors: [{ pointer: '/accounts/2/limits/daily', detail: 'is too much', in: 'body' }],
      }),
    },
  ]);
  expect(requests[0]?.items).toMatchObject([
    { ownerId: USER_ID, externalId: 'c-1', limits: { dailyMinor: 5n }, timeZone: 'Europe/Berlin' },
    { name: 'Mine', metadata: { a: '1' }, externalId: '' },
    { name: '', metadata: {} },
  ]);
});

it('each account has a request id of its own, the same for the same key, whatever its length', async () => {
  const requests = answerWith(['open', 'open']);
  const keys = ['k', 'k', 'k'.repeat(255)];
  for (const key of keys) await open([wanted, wanted], key);
  const [first, again, long] = requests.map(({ items }) => items.map(({ requestId }) => requestId));
  expect(new Set(first).size).toBe(2);
  expect(again).toEqual(first);
  expect(long).not.toEqual(first);
  for (const id of long ?? []) expect(id.length).toBeLessThan(256);
});

it.each([
  ['no account', [], '/accounts'],
  ['more than 100', Array.from({ length: 101 }, () => wanted), '/accounts'],
  ['one malformed account', [wanted, { ...wanted, currency: 'EURO' }], '/accounts/1/currency'],
])('%s refuses the whole request', async (_, accounts, pointer) => {
  const requests = answerWith([]);
  const { status, body } = await open(accounts);
  expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
  expect(requests).toEqual([]);
});

it('a fault of the platform in one account fails the request, which is then sent again', async () => {
  answerWith(['open', new Refusal('DATABASE_UNAVAILABLE', grpc.UNAVAILABLE)]);
  const { status, body } = await open([wanted, wanted]);
  expect([status, body.code]).toEqual([503, 'UNAVAILABLE']);
});
