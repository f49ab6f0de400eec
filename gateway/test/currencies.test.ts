import { CURRENCIES } from '@payflowx/proto/currency';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { type Platform, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
});
afterAll(() => platform.close());

it('gives anyone the decimals of exactly the currencies that a request may name', async () => {
  const { status, body } = await client.call('GET', '/v1/currencies');
  expect([status, body]).toEqual([200, { data: CURRENCIES }]);
  expect(body.data).toContainEqual({ code: 'HUF', numeric: '348', exponent: 2, name: 'Forint' });

  const { components } = client.document as { components?: { schemas: Record<string, { enum?: string[] }> } };
  expect(components?.schemas.Currency?.enum).toEqual(CURRENCIES.map(({ code }) => code));
});

it.each(['XAU', 'XDR', 'XXX', 'BGN', 'eur'])('an account cannot be opened in %s', async (currency) => {
  const body = { owner_id: 'usr_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d', currency };
  const answer = await client.call('POST', '/v1/accounts', { as: 'operator', body });
  expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/currency']);
});
