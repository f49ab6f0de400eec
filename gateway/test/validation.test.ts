/** Only requests that match the contract exactly pass the gateway. */
import { MAX_PAGE_TOKEN_LENGTH } from '@payflowx/chassis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { ALICE, BOB, completeAll, newPayment } from './examples.ts';
import { type Platform, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;
let calls = 0;

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
  platform.fakes.payment.batchCreatePayments = (request) => {
    calls += 1;
    return completeAll(request);
  };
  platform.fakes.payment.listPayments = () => {
    calls += 1;
    return { payments: [], nextPageToken: '' };
  };
});
afterAll(() => platform.close());
beforeEach(() => {
  calls = 0;
});

const post = (options: object) =>
  client.call('POST', '/v1/payments', { as: 'customer', key: 'k', ...options });
const pay = (changes: object) => post({ body: { ...newPayment, ...changes } });
const raw = (text: string | Buffer) => post({ raw: text });
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const rawAmount = (amount: string) =>
  raw(`{"from_account":"${ALICE}","to_account":"${BOB}","currency":"EUR","amount":${amount}}`);

describe('a payment that is refused with 400 reaches no service', () => {
  it.each([
    ['amount 0', () => pay({ amount: 0 }), '/amount'],
    ['amount −1', () => pay({ amount: -1 }), '/amount'],
    ['amount 1.5', () => pay({ amount: 1.5 }), '/amount'],
    ['amount "10"', () => pay({ amount: '10' }), '/amount'],
    ['amount null', () => pay({ amount: null }), '/amount'],
    ['amount true', () => pay({ amount: true }), '/amount'],
    ['amount 2^53', () => rawAmount('9007199254740992'), '/amount'],
    ['amount 1e400', () => rawAmount('1e400'), '/amount'],
    ['an amount that JSON.parse rounds to 100', () => rawAmount('100.00000000000000001'), '/amount'],
    ['one that it rounds to the maximum', () => rawAmount('9007199254740991.4'), '/amount'],
    ['no amount', () => pay({ amount: undefined }), '/amount'],
    ['an unknown currency', () => pay({ currency: 'XYZ' }), '/currency'],
    ['a former currency', () => pay({ currency: 'DEM' }), '/currency'],
    ['a currency in lower case', () => pay({ currency: 'eur' }), '/currency'],
    ['an account id that is none', () => pay({ from_account: 'mine' }), '/from_account'],
    ['the world outside as payer', () => pay({ from_account: 'external:EUR' }), '/from_account'],
    ['an unknown field', () => pay({ fee: 1 }), '/fee'],
    ['a field with a slash in its name', () => pay({ 'a/b': 1 }), '/a~1b'],
    ['a capture that there is not', () => pay({ capture: 'later' }), '/capture'],
    ['a hold of what is captured at once', () => pay({ hold_seconds: 60 }), '/capture'],
    ['such a hold, said twice', () => pay({ capture: 'automatic', hold_seconds: 60 }), '/capture'],
    ['a capture by the payee of what is captured at once', () => pay({ capture_by: 'payee' }), '/capture'],
    ['a side that there is not', () => pay({ capture: 'manual', capture_by: 'shop' }), '/capture_by'],
    ['a hold of no time', () => pay({ capture: 'manual', hold_seconds: 0 }), '/hold_seconds'],
    [
      'a hold of a month and a day',
      () => pay({ capture: 'manual', hold_seconds: 2_678_400 }),
      '/hold_seconds',
    ],
    ['a description that is too long', () => pay({ description: 'x'.repeat(501) }), '/description'],
    ['metadata that is no text', () => pay({ metadata: { a: 1 } }), '/metadata/a'],
    ['a NUL character', () => pay({ reference: 'a\0b' }), '/reference'],
    ['half a surrogate pair', () => pay({ metadata: { a: '\ud800' } }), '/metadata/a'],
    ['an array for a body', () => raw('[]'), ''],
    ['null for a body', () => raw('null'), ''],
  ])('%s', async (_name, send, pointer) => {
    const { status, body } = await send();
    expect(status).toBe(400);
    expect(body.code).toBe('INVALID_REQUEST');
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    expect(calls).toBe(0);
  });

  it.each([
    ['broken JSON', () => raw('{"amount": 1')],
    ['two values', () => raw('{}{}')],
    ['an empty body', () => raw('')],
    ['a name given twice', () => raw('{"amount": 1, "amount": 2}')],
    ['__proto__', () => raw('{"__proto__": {"amount": 1}}')],
    ['constructor.prototype', () => raw('{"constructor": {"prototype": {}}}')],
    ['nesting without end', () => raw(nested(10_000))],
    ['what is not UTF-8', () => raw(Buffer.from([0x22, 0xff, 0x22]))],
  ])('%s', async (_name, send) => {
    const { status, body } = await send();
    expect([status, body.code]).toEqual([400, 'INVALID_JSON']);
    expect(calls).toBe(0);
  });

  it.each([
    ['none', undefined, 'IDEMPOTENCY_KEY_REQUIRED'],
    ['an overlong one', 'k'.repeat(256), 'IDEMPOTENCY_KEY_INVALID'],
    ['one with a space', 'a b', 'IDEMPOTENCY_KEY_INVALID'],
    ['one beyond ASCII', 'ü', 'IDEMPOTENCY_KEY_INVALID'],
  ])('%s for an Idempotency-Key', async (_name, key, code) => {
    const { status, body } = await post({ key, body: newPayment });
    expect([status, body.code]).toEqual([400, code]);
    expect(calls).toBe(0);
  });
});

it('accepts the extreme values that the contract allows', async () => {
  for (const send of [
    () => pay({ amount: 9_007_199_254_740_991 }),
    () => rawAmount('10.0'),
    () =>
      pay({ capture: 'automatic', description: 'ü'.repeat(500), metadata: { 'ключ "x": \\': '😀\u00e9' } }),
    () => pay({ capture: 'manual', hold_seconds: 2_592_000 }),
    () => pay({ capture: 'manual', capture_by: 'payee' }),
    () => pay({ capture_by: 'payer' }),
    () => post({ key: `!${'k'.repeat(253)}~`, body: newPayment }),
    () => post({ body: newPayment, headers: { 'content-type': 'application/json; charset=utf-8' } }),
  ]) {
    expect((await send()).status).toBe(201);
  }
});

it('keeps the largest amount exact in requests and responses', async () => {
  const { text } = await pay({ amount: 9_007_199_254_740_991 });
  expect(text).toContain('"amount":9007199254740991,');
});

it('refuses a body over 64 KiB with 413, and any type but JSON with 415', async () => {
  const { status, body } = await pay({ description: 'x'.repeat(64 * 1024) });
  expect([status, body.code]).toEqual([413, 'BODY_TOO_LARGE']);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx']) {
    const answer = await post({ raw: '{}', headers: { 'content-type': type } });
    expect([answer.status, answer.body.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    expect(answer.body.detail).toContain('application/json');
  }
  expect(calls).toBe(0);
});

it('says in words what is expected, and how many errors there are', async () => {
  const { body } = await pay({ from_account: 'mine', currency: 'eur', capture: 'later' });
  const details = Object.fromEntries(
    body.errors.map(({ pointer, detail }: { pointer: string; detail: string }) => [pointer, detail]),
  );
  expect(details).toEqual({
    '/from_account': 'is not the id of an account (acct_…)',
    '/currency': 'must be a currency in capitals, such as EUR',
    '/capture': 'must be one of automatic, manual',
  });
  expect(body.detail).toMatch(/^\w+ [^.]+\. … and 2 more\.$/);
  expect(body.retryable).toBe(false);
  const { body: listed } = await client.call('GET', '/v1/payments?created_after=today', { as: 'customer' });
  expect(listed.errors).toEqual([
    {
      pointer: '/created_after',
      detail:
        'is not a date and time with an offset, such as 2026-01-31T12:00:00.000Z or 2026-01-31T13:00:00+01:00',
      in: 'query',
    },
  ]);
  const { body: held } = await pay({ hold_seconds: 60 });
  const onlyManual = 'possible only with capture: manual';
  expect(held.errors).toEqual([expect.objectContaining({ detail: expect.stringContaining(onlyManual) })]);
  const { body: automatic } = await pay({ capture: 'automatic', capture_by: 'payee' });
  expect(automatic.detail).toContain(onlyManual);
  const { body: found } = await client.call('GET', '/v1/payments?reference=a%00b', { as: 'customer' });
  expect(found.errors[0].detail).toBe('must not contain the character NUL');
});

describe('a query string', () => {
  it.each([
    'limit=0',
    'limit=101',
    'limit=1.5',
    'limit=ten',
    'limit=',
    'limit=%205',
    'limit=0x10',
    'limit=1e1',
    'limit=+5',
    'limit=1&limit=2',
    'cursor=',
    'cursor=%00',
    'unknown=1',
    'state=completed',
    'currency=XYZ',
    'account_id=mine',
    'reference=%00',
    'created_after=yesterday',
    'created_after=0000-01-01T00:00:00Z',
    'created_before=2026-12-31T23:59:60Z',
    'amount_min=-1',
    'amount_max=9007199254740992',
  ])('%s is refused', async (query) => {
    const { status, body } = await client.call('GET', `/v1/payments?${query}`, { as: 'auditor' });
    expect([status, body.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(body.errors[0].in).toBe('query');
    expect(calls).toBe(0);
  });

  it('is accepted if it is valid', async () => {
    const query =
      'limit=100&state=FAILED&currency=EUR&amount_min=0&amount_max=9007199254740991&created_after=2026-01-31T12:00:00%2B01:00';
    expect((await client.call('GET', `/v1/payments?${query}`, { as: 'auditor' })).status).toBe(200);
  });

  it('has a cursor as long as the longest page token, and no longer', async () => {
    const statusOf = async (length: number) =>
      (await client.call('GET', `/v1/payments?cursor=${'A'.repeat(length)}`, { as: 'auditor' })).status;
    expect(await statusOf(MAX_PAGE_TOKEN_LENGTH)).toBe(200);
    expect(await statusOf(MAX_PAGE_TOKEN_LENGTH + 1)).toBe(400);
  });

  it('never has an empty parameter, which a service could not tell from an absent one', async () => {
    const { paths, components } = (await client.call('GET', '/openapi.json')).body;
    const urls = Object.keys(paths).flatMap((path) => {
      const parameters: { in: string; name: string; schema: { $ref: string } }[] =
        paths[path].get?.parameters ?? [];
      const id = parameters
        .find((parameter) => parameter.in === 'path')
        ?.schema.$ref.split('/')
        .at(-1);
      const real = path.replace('{id}', components.schemas[id ?? '']?.examples[0]);
      return parameters.flatMap(({ in: place, name }) => (place === 'query' ? `${real}?${name}=` : []));
    });
    expect(urls).toContain('/v1/payments?reference=');
    const token = await platform.identity.tokenFor({ id: 'usr_x', roles: ['operator', 'admin'] });
    for (const url of urls) {
      const { status, body } = await client.call('GET', url, { token });
      const pointer = `/${url.slice(url.indexOf('?') + 1, -1)}`;
      expect([url, status, body.errors?.[0].pointer]).toEqual([url, 400, pointer]);
    }
  });

  it('is refused by a route without parameters', async () => {
    const { status } = await client.call('GET', '/v1/auth/me?verbose=1', { as: 'customer' });
    expect(status).toBe(400);
  });
});

it('refuses a malformed id in any path with 400', async () => {
  const { body: document } = await client.call('GET', '/openapi.json');
  const paths = Object.entries<Record<string, object>>(document.paths).filter(([path]) => path.includes('{'));
  const named = paths.flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => [method.toUpperCase(), path] as const),
  );
  for (const [method, path] of named) {
    const malformed = path.replaceAll(/\{\w+\}/g, '~');
    const answers = await Promise.all(
      (['customer', 'operator', 'admin'] as const).map((as) =>
        client.call(method, malformed, { as, key: 'k' }),
      ),
    );
    const codes = answers.map(({ body }) => body.code).filter((code) => code !== 'ROLE_NOT_ALLOWED');
    expect(new Set(codes), `${method} ${path}`).toEqual(new Set(['INVALID_REQUEST']));
  }
  expect(named.length).toBeGreaterThan(50);
});

it('refuses a malformed id with 400, and names its form', async () => {
  for (const id of ['1', 'pay_1', ALICE, '%00', 'pay_0198C5B2-7A30-7C41-9D52-0F6B8A1C2E3C']) {
    const { status, body } = await client.call('GET', `/v1/payments/${id}`, { as: 'operator' });
    expect([status, body.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(body.errors).toEqual([
      { pointer: '/id', detail: 'is not the id of a payment (pay_…)', in: 'path' },
    ]);
  }
});
