/** Opens many accounts in one call. */
import { status } from '@grpc/grpc-js';
import type { CallSettings } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import type { CreateAccountRequest, CreateAccountResult } from '@payflowx/proto/authorization';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR, type RunningService, startService } from './running-service.ts';

let service: RunningService;
let asOperator: CallSettings;
beforeAll(async () => {
  service = await startService();
  asOperator = { deadlineMs: PATIENCE_MS, accessToken: service.tokens.operator };
});
afterAll(() => service.stop());

const opening = (change: Partial<CreateAccountRequest> = {}): CreateAccountRequest => ({
  requestId: '',
  ownerId: 'usr_alice',
  currency: 'EUR',
  name: 'Household',
  limits: undefined,
  timeZone: '',
  externalId: '',
  metadata: {},
  ...change,
});

async function open(items: CreateAccountRequest[]): Promise<CreateAccountResult[]> {
  return (await service.accounts.batchCreateAccounts({ items }, asOperator)).results;
}

function idOf(answer: CreateAccountResult | undefined): string {
  if (answer?.result?.$case !== 'account') throw new Error(`no account: ${JSON.stringify(answer?.result)}`);
  return answer.result.value.id;
}

const messageOf = ({ result }: CreateAccountResult) =>
  result?.$case === 'error' ? result.value.message : undefined;

describe('opening accounts in a batch', () => {
  it('opens each with its limits and an audit record, and responds in order', async () => {
    const items = Array.from({ length: 500 }, (_, n) =>
      opening({
        name: `account ${n}`,
        currency: n % 2 ? 'EUR' : 'SEK',
        limits: { perPaymentMinor: BigInt(n) },
      }),
    );
    const ids = (await open(items)).map(idOf);
    expect(new Set(ids).size).toBe(500);
    const { account } = await service.accounts.getAccount({ accountId: ids[497] ?? '' }, asOperator);
    expect(account).toMatchObject({ name: 'account 497', limits: { perPaymentMinor: 497n }, version: 1n });
    const { records } = await service.accounts.listAccountAuditRecords(
      { accountId: ids[497] ?? '', actorId: '', pageSize: 0, pageToken: '' },
      asOperator,
    );
    expect(records).toMatchObject([{ actorId: OPERATOR.id, action: 'account.created' }]);
  });

  it('refuses an item without effect on the other items', async () => {
    const results = await open([
      opening(),
      opening({ currency: 'XXX', requestId: 'wrong-currency' }),
      opening({ ownerId: 'alice' }),
      opening(),
    ]);
    expect(results.map(messageOf)).toEqual([
      undefined,
      'The currency is not one of ISO 4217.',
      'The request is not valid.',
      undefined,
    ]);
    expect(results.filter(({ result }) => result?.$case === 'account').length).toBe(2);
  });

  it('opens one account per request id, within a batch, in a later one, and in two at once', async () => {
    const items = ['b', 'a', 'b', 'c'].map((id) => opening({ requestId: `batch-${id}` }));
    const answers = await Promise.all([open(items), open(items.toReversed()), open(items)]);
    const [first, reversed, third] = answers.map((results) => results.map(idOf));
    expect(new Set(first).size).toBe(3);
    expect(reversed?.toReversed()).toEqual(first);
    expect(third).toEqual(first);
    const { rows } = await service.sql(
      'select count(*)::int as count from account_audit_records where account_id = any($1)',
      [first],
    );
    expect(rows).toEqual([{ count: 3 }]);
  });

  it('refuses a request id that was used for another request, also in the same batch', async () => {
    const results = await open([
      opening({ requestId: 'reused' }),
      opening({ requestId: 'reused', name: 'Another' }),
    ]);
    expect(idOf(results[0])).toMatch(/^acct_/);
    expect(results.map(messageOf)[1]).toBe('This request id was used for another request.');
  });

  it.each([0, 501])('refuses a call of %d items', async (length) => {
    await expect(open(Array.from({ length }, () => opening()))).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
  });
});
