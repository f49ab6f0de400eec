/**
 * Times in requests: valid texts, and the results of filters. The comparisons in the database are tested by payment and ledger.
 */
import type { GetAccountBalanceRequest, GetStatementRequest } from '@payflowx/proto/ledger';
import type { ListPaymentsRequest } from '@payflowx/proto/payment';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { ALICE, paymentOf, statement } from './examples.ts';
import { type Platform, startPlatform } from './platform.ts';

const CREATED_AT = new Date('2026-11-27T18:00:00.123Z');

let platform: Platform;
let client: Client;
let lastRequest: { at?: Date | undefined; from?: Date | undefined; to?: Date | undefined };

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
  const { payment, ledger, rules } = platform.fakes;
  payment.listPayments = ({ createdAfter, createdBefore }: ListPaymentsRequest) => {
    const isFound =
      (!createdAfter || CREATED_AT >= createdAfter) && (!createdBefore || CREATED_AT < createdBefore);
    return { payments: isFound ? [paymentOf({}, { createdAt: CREATED_AT })] : [], nextPageToken: '' };
  };
  ledger.getAccountBalance = (request: GetAccountBalanceRequest) => {
    lastRequest = request;
    return { postedMinor: 0n, pendingMinor: 0n, at: request.at };
  };
  ledger.getStatement = (request: GetStatementRequest) => {
    lastRequest = request;
    return statement;
  };
  rules.backtestRule = (request) => {
    lastRequest = request;
    return {};
  };
});
afterAll(() => platform.close());

const get = (path: string) => client.call('GET', path, { as: 'auditor' });

it.each([
  ['created_after', '2026-11-27T18:00:00.123Z', true],
  ['created_after', '2026-11-27T18:00:00.123001Z', false],
  ['created_after', '2026-11-27T18:00:00.123000001Z', false],
  ['created_after', '2026-11-27T18:00:00.122999999Z', true],
  ['created_after', '2026-11-27T19:00:00.123+01:00', true],
  ['created_after', '2026-11-27t18:00:00.123z', true],
  ['created_before', '2026-11-27T18:00:00.123Z', false],
  ['created_before', '2026-11-27T18:00:00.123001Z', true],
])('a payment of 18:00:00.123Z by %s=%s: found %s', async (name, value, isFound) => {
  const { status, body } = await get(`/v1/payments?${name}=${encodeURIComponent(value)}`);
  expect([status, body.data?.length]).toEqual([200, isFound ? 1 : 0]);
});

/** Every time parameter, with a request that uses it. */
const INPUTS = [
  ...['/v1/events?created_after=', '/v1/events?created_before='],
  ...['/v1/captures?created_after=', '/v1/captures?created_before='],
  ...['/v1/payments?created_after=', '/v1/payments?created_before='],
  ...['/v1/payments?updated_after=', '/v1/payments?updated_before='],
  ...['/v1/refunds?created_after=', '/v1/refunds?created_before='],
  ...['/v1/mandates?created_after=', '/v1/mandates?created_before='],
  ...['/v1/ledger/entries?created_after=', '/v1/ledger/entries?created_before='],
  ...[`/v1/ledger/accounts/${ALICE}/statement?from=`, `/v1/ledger/accounts/${ALICE}/statement?to=`],
  `/v1/ledger/accounts/${ALICE}/balance?at=`,
];

it.each([
  ...['2026-11-27T19:00:00+0100', '2026-11-27', '2026-11-27T18:00:00', '2026-11-27 18:00:00Z'],
  ...['2026-02-30T00:00:00Z', '2026-12-31T23:59:60Z', '2026-11-27T18:00:00+24:00'],
])('%s is refused by every time parameter', async (value) => {
  for (const input of INPUTS) {
    const { status, body } = await get(input + encodeURIComponent(value));
    expect([input, status, body.code]).toEqual([input, 400, 'INVALID_REQUEST']);
  }
  for (const name of ['from', 'to']) {
    const body = { expression: 'false', [name]: value };
    expect((await client.call('POST', '/v1/rules/backtest', { as: 'auditor', body })).status).toBe(400);
  }
});

it('every time of the document is among those inputs, and has the same pattern', () => {
  const parameters = Object.entries(client.document.paths).flatMap(([path, { get: operation }]) => {
    const { parameters = [] } = (operation ?? {}) as { parameters?: { name: string; schema: object }[] };
    return parameters.flatMap(({ name, schema }) =>
      (schema as { format?: string }).format === 'date-time' ? `${path.replace('{id}', ALICE)}?${name}=` : [],
    );
  });
  expect(parameters.sort()).toEqual(INPUTS.toSorted());
});

it('a balance at a time between two milliseconds is that of the earlier one, and a statement ends with it', async () => {
  const moment = '2026-11-27T18:00:43.4545Z';
  await get(`/v1/ledger/accounts/${ALICE}/balance?at=${moment}`);
  expect(lastRequest.at).toEqual(new Date('2026-11-27T18:00:43.454Z'));
  await get(`/v1/ledger/accounts/${ALICE}/statement?from=${moment}&to=${moment}`);
  // Before .455 means up to and including .454.
  expect([lastRequest.from, lastRequest.to]).toEqual(Array(2).fill(new Date('2026-11-27T18:00:43.455Z')));
});

it('a period that ends with the last microsecond of a day contains the whole day', async () => {
  const body = { expression: 'false', from: '2026-11-27T00:00:00Z', to: '2026-11-27T23:59:59.999999Z' };
  await client.call('POST', '/v1/rules/backtest', { as: 'auditor', body });
  expect(lastRequest.to).toEqual(new Date('2026-11-28T00:00:00.000Z'));
});
