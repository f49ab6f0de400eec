import { PaymentServiceService } from '@payflowx/proto/payment';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Keys } from '../keys.ts';
import type { Caller } from './caller.ts';
import { CallError } from './errors.ts';
import { MAX_PAGE_TOKEN_LENGTH, MAX_POSITION_BYTES, withPageTokens } from './page-tokens.ts';

/** Any character, most of them strange. `unit: 'binary'` draws the same, but takes two seconds to begin. */
const character = fc
  .oneof(
    fc.integer({ min: 0, max: 0xff }),
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code));

const { listPayments, listRefunds, getPayment } = PaymentServiceService;
const KEY = Buffer.alloc(32, 'key');
const alice: Caller = { id: 'usr_alice', roles: ['customer', 'operator'] };

interface List {
  pageSize: number;
  pageToken: string;
}
const payments = (given: object = {}): List & object => ({
  ...listPayments.requestDeserialize(Buffer.alloc(0)),
  pageSize: 2,
  ...given,
});

interface Parts {
  method: never;
  key: Keys | undefined;
  caller: Caller | undefined;
}
const PARTS: Parts = { method: listPayments as never, key: KEY, caller: alice };

/** A page of a list whose handler answers with `position`. Returns the response, and the request that the handler got. */
async function page(parts: Partial<Parts> = {}, request: List = payments(), position = 'pay_2') {
  const { method, key, caller } = { ...PARTS, ...parts };
  const handle = vi.fn(async (_request: List) => ({ rows: [1, 2], nextPageToken: position }));
  const response = await withPageTokens(method, key)(request, caller, handle);
  expect(handle).toHaveBeenCalledTimes(1);
  return { response, got: handle.mock.calls[0]?.[0] };
}
const tokenOf = async (...args: Parameters<typeof page>) => (await page(...args)).response.nextPageToken;

describe('a page token', () => {
  it('gives its position back to the same caller, list and filters', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, unit: character }), async (position) => {
        const pageToken = await tokenOf({}, payments({ currency: 'EUR' }), position);
        const sent = payments({ currency: 'EUR', pageToken, pageSize: 7 });
        const sameRoles = { ...alice, roles: alice.roles.toReversed() };
        const { got, response } = await page({ caller: sameRoles }, sent, '');
        expect(got).toEqual({ ...sent, pageToken: position });
        expect(response).toEqual({ rows: [1, 2], nextPageToken: '' });
      }),
      { numRuns: 20 },
    );
  });

  it('is accepted while its key is one of several, and comes from the first', async () => {
    const [old, next] = [KEY, Buffer.alloc(32, 'next')];
    const [before, after] = [await tokenOf({ key: old }), await tokenOf({ key: [next, old] })];
    await expect(page({ key: [old] }, payments({ pageToken: after }))).rejects.toThrow(CallError);
    for (const pageToken of [before, after]) {
      expect((await page({ key: [old, next] }, payments({ pageToken }))).got?.pageToken).toBe('pay_2');
    }
    await expect(page({ key: [next] }, payments({ pageToken: before }))).rejects.toThrow(CallError);
  });

  it('shows nothing of the caller and of its position', async () => {
    const bytes = Buffer.from(await tokenOf(), 'base64url');
    expect(bytes[0]).toBe(2);
    for (const hidden of ['alice', 'pay_2', 'pay']) expect(bytes.includes(hidden)).toBe(false);
  });

  it('is not needed for the first page, with or without a caller', async () => {
    expect((await page()).got).toEqual(payments());
    const pageToken = await tokenOf({ caller: undefined });
    expect((await page({ caller: undefined }, payments({ pageToken }))).got?.pageToken).toBe('pay_2');
    // No caller is not the same as one without an id that has a role.
    await expectRefused({ caller: { id: '', roles: ['customer'] } }, payments({ pageToken }));
  });

  it.each<[string, Partial<Parts>, object]>([
    ['another caller', { caller: { ...alice, id: 'usr_bob' } }, {}],
    ['another role of the caller', { caller: { ...alice, roles: ['customer'] } }, {}],
    ['no caller', { caller: undefined }, {}],
    ['another list', { method: listRefunds as never }, {}],
    ['another key', { key: Buffer.alloc(32, 'other') }, {}],
    ['another filter', {}, { currency: 'USD' }],
    ['no filter', {}, { currency: '' }],
  ])('is refused with %s', async (_, parts, changed) => {
    const pageToken = await tokenOf({}, payments({ currency: 'EUR' }));
    await expectRefused(parts, payments({ currency: 'EUR', pageToken, ...changed }));
  });

  it('is refused with any byte changed, cut or added, in another spelling, or if it is too long', async () => {
    const token = await tokenOf();
    const bytes = Buffer.from(token, 'base64url');
    const changed = [...bytes.keys()].map((index) => {
      const copy = Buffer.from(bytes);
      copy[index] = (copy[index] ?? 0) ^ 1;
      return copy.toString('base64url');
    });
    const cut = [...Array(token.length - 1).keys()].map((length) => token.slice(0, length + 1));
    const spelt = [`${token}=`, ` ${token}`, `${token}\n`, Buffer.from(bytes).toString('base64')];
    const other = [Buffer.alloc(17, 1).toString('base64url'), 'pay_2', 'x'.repeat(MAX_PAGE_TOKEN_LENGTH + 1)];
    for (const pageToken of [
      ...changed,
      ...cut,
      `${token}AAAA`,
      ...spelt.filter((each) => each !== token),
      ...other,
    ]) {
      await expectRefused({}, payments({ pageToken }));
    }
  });

  it('is at most as long as a token may be, and a longer position is a bug', async () => {
    const longest = 'x'.repeat(MAX_POSITION_BYTES);
    const pageToken = await tokenOf({}, payments(), longest);
    expect(pageToken.length).toBe(MAX_PAGE_TOKEN_LENGTH);
    expect((await page({}, payments({ pageToken }))).got?.pageToken).toBe(longest);
    await expect(page({}, payments(), `${longest}x`)).rejects.toThrow(
      'The position of the next page is too long.',
    );
  });
});

describe('a method is called as it is', () => {
  it.each<[string, Partial<Parts>]>([
    ['without a key', { key: undefined }],
    ['if it is no list', { method: getPayment as never }],
    ['if only its request has a page token', { method: halfList({ request: listPayments }) as never }],
    ['if only its response has one', { method: halfList({ response: listPayments }) as never }],
  ])('%s', async (_, parts) => {
    const request = payments({ pageToken: 'as it is' });
    const { response, got } = await page(parts, request);
    expect(got).toBe(request);
    expect(response.nextPageToken).toBe('pay_2');
  });
});

/** GetPayment, with the request or the response of a list. */
function halfList({ request = getPayment as object, response = getPayment as object }) {
  const { requestDeserialize, requestSerialize } = request as typeof listPayments;
  const { responseDeserialize } = response as typeof listPayments;
  return { ...getPayment, requestDeserialize, requestSerialize, responseDeserialize };
}

async function expectRefused(parts: Partial<Parts>, request: List): Promise<void> {
  const { method, key, caller } = { ...PARTS, ...parts };
  const handle = vi.fn();
  const call = withPageTokens(method, key)(request, caller, handle);
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error, request.pageToken).toBeInstanceOf(CallError);
  expect(error).toMatchObject({
    reason: 'INVALID_PAGE_TOKEN',
    message: 'The page token does not belong to this list.',
    violations: [
      {
        field: 'page_token',
        description:
          'must be the next_page_token of an earlier response, sent by the same caller to the same list with the same filters',
      },
    ],
  });
  expect(handle).not.toHaveBeenCalled();
}
