/** AccountService, and access to it. */
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import {
  type CallSettings,
  connectGrpc,
  type Neighbour,
  type NeighbourError,
  type RoleName,
} from '@payflowx/chassis';
import { PATIENCE_MS, testCertificates } from '@payflowx/chassis/testing';
import {
  AccountServiceClient,
  type AccountServiceService,
  AccountState,
  AuthorizationServiceClient,
  type AuthorizationServiceService,
  type CreateAccountRequest,
  type Limits,
  type ListAccountsRequest,
} from '@payflowx/proto/authorization';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accountOf,
  cancelOf,
  captureOf,
  item,
  OPERATOR,
  openAccount,
  type RunningService,
  refundOf,
  startService,
} from './running-service.ts';

let service: RunningService;
beforeAll(async () => {
  service = await startService({ instances: 2 });
});
afterAll(() => service.stop());

async function as(id: string, ...roles: RoleName[]): Promise<CallSettings> {
  return { deadlineMs: PATIENCE_MS, accessToken: await service.tokenFor({ id, roles }) };
}
const asOperator = () => as(OPERATOR.id, 'operator');

/** A list of all accounts that the caller may see. */
const asked = (change: Partial<ListAccountsRequest> = {}): ListAccountsRequest => ({
  ...{ pageSize: 0, pageToken: '', ownerId: '', state: AccountState.UNSPECIFIED, name: '', externalId: '' },
  ...change,
});

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

const refusal = (code: status, reason: string) =>
  expect.objectContaining({ code, reason }) as unknown as NeighbourError;

describe('opening an account', () => {
  it('starts with balance 0, no limits unless given, and version 1', async () => {
    const limits: Limits = { perPaymentMinor: 5n, dailyMinor: undefined, monthlyMinor: 0n, dailyCount: 3 };
    const { account } = await service.accounts.createAccount(opening({ limits }), await asOperator());
    expect(account).toMatchObject({
      ownerId: 'usr_alice',
      name: 'Household',
      currency: 'EUR',
      state: AccountState.ACTIVE,
      balance: { postedMinor: 0n, heldMinor: 0n, availableMinor: 0n },
      limits,
      version: 1n,
    });
    expect(account?.id).toMatch(/^acct_[0-9a-f-]{36}$/);
  });

  it('opens one account for one request id, however often and on which instance it is requested', async () => {
    const request = opening({ requestId: 'open-1', currency: 'CHF', limits: { dailyCount: 3 } });
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => service.accounts.createAccount(request, await asOperator())),
    );
    expect(new Set(answers.map(({ account }) => account?.id)).size).toBe(1);
    const [first] = answers;
    await service.sql('update accounts set name = $1 where id = $2', ['Renamed', first?.account?.id]);
    expect(await service.accounts.createAccount(request, await asOperator())).toEqual(first);
    await expect(
      service.accounts.createAccount({ ...request, name: 'Another' }, await asOperator()),
    ).rejects.toEqual(refusal(status.ALREADY_EXISTS, 'REQUEST_ID_REUSED'));
  });

  it('of an operator for itself is refused, also with a request id, and also in a batch', async () => {
    const own = opening({ ownerId: OPERATOR.id, requestId: 'own-1', limits: { dailyCount: 1 } });
    const refused = refusal(status.PERMISSION_DENIED, 'OWN_ACCOUNT');
    await expect(service.accounts.createAccount(own, await asOperator())).rejects.toEqual(refused);
    const items = [own, opening({ requestId: 'own-2' })];
    const { results } = await service.accounts.batchCreateAccounts({ items }, await asOperator());
    expect(results.map(({ result }) => result?.$case)).toEqual(['error', 'account']);
    // The refused request took no id.
    const other = await service.accounts.createAccount(
      opening({ ownerId: 'usr_bob', requestId: 'own-1' }),
      await asOperator(),
    );
    expect(other.account?.ownerId).toBe('usr_bob');
    const mine = await service.accounts.listAccounts(asked(), await as(OPERATOR.id, 'customer'));
    expect(mine.accounts).toEqual([]);
  });

  it.each(['', 'eur', 'XXX', 'XAU', 'DEM', 'EURO'])('refuses the currency "%s"', async (currency) => {
    await expect(service.accounts.createAccount(opening({ currency }), await asOperator())).rejects.toEqual(
      refusal(status.INVALID_ARGUMENT, 'CURRENCY_UNKNOWN'),
    );
  });

  it('reports all violations of a request', async () => {
    const violated = async (change: Parameters<typeof opening>[0]) => {
      const call = service.accounts.createAccount(opening(change), await asOperator());
      const error = await call.catch((caught) => caught);
      expect(error).toEqual(refusal(status.INVALID_ARGUMENT, 'INVALID_ARGUMENT'));
      return error.violations.map(({ field }: { field: string }) => field);
    };
    expect(await violated({ ownerId: 'alice', limits: { dailyMinor: -1n } })).toEqual([
      'owner_id',
      'limits.daily_minor',
    ]);
    // The contract's limits are checked before.
    expect(await violated({ ownerId: 'o\0', name: 'x'.repeat(101) })).toEqual(['owner_id', 'name']);
  });
});

describe('reading accounts', () => {
  it('returns an account to its owner and to roles that read all accounts, and is not found for other callers', async () => {
    const accountId = await openAccount(service, { ownerId: 'usr_carol', balance: 5n });
    const readers = [as('usr_carol', 'customer'), asOperator(), as('usr_a', 'auditor')];
    for (const reader of await Promise.all(readers)) {
      const { account } = await service.accounts.getAccount({ accountId }, reader);
      expect(account?.balance?.postedMinor).toBe(5n);
    }
    const stranger = await as('usr_mallory', 'customer');
    for (const id of [accountId, 'acct_none', 'external:EUR', '']) {
      await expect(service.accounts.getAccount({ accountId: id }, stranger)).rejects.toEqual(
        refusal(status.NOT_FOUND, 'ACCOUNT_NOT_FOUND'),
      );
    }
  });

  it('lists the accounts of a customer newest first, without duplicates or gaps while others are opened', async () => {
    const opened: string[] = [];
    for (let n = 0; n < 7; n += 1) opened.push(await openAccount(service, { ownerId: 'usr_dave' }));
    await openAccount(service, { ownerId: 'usr_erin' });
    const dave = await as('usr_dave', 'customer');
    const listed: string[] = [];
    let pageToken = '';
    do {
      const page = await service.accounts.listAccounts(asked({ pageSize: 3, pageToken }), dave);
      listed.push(...page.accounts.map(({ id }) => id));
      pageToken = page.nextPageToken;
      await openAccount(service, { ownerId: 'usr_dave' });
    } while (pageToken !== '');
    expect(listed).toEqual(opened.toReversed());
  });

  it('lists the ids of all accounts of a customer, newest first, in a page of any size', async () => {
    const opened: string[] = [];
    for (let n = 0; n < 3; n += 1) opened.push(await openAccount(service, { ownerId: 'usr_ida' }));
    const ida = await as('usr_ida', 'customer');
    const whole = await service.accounts.listAccountIds({ pageSize: 0, pageToken: '' }, ida);
    expect(whole).toEqual({ accountIds: opened.toReversed(), nextPageToken: '' });
    const first = await service.accounts.listAccountIds({ pageSize: 2, pageToken: '' }, ida);
    const rest = { pageSize: 2, pageToken: first.nextPageToken };
    const second = await service.accounts.listAccountIds(rest, ida);
    expect([...first.accountIds, ...second.accountIds]).toEqual(opened.toReversed());
  });

  it('finds accounts by owner, state, name and external id, and by all of them together', async () => {
    const [frank, gina] = [`usr_${randomUUID()}`, `usr_${randomUUID()}`];
    const [name, externalId] = [`Rent ${randomUUID()}`, `customer-${randomUUID()}`];
    const operator = await asOperator();
    const open = async (change: Partial<CreateAccountRequest>) =>
      (await service.accounts.createAccount(opening(change), operator)).account?.id ?? '';
    const first = await open({ ownerId: frank, name, externalId });
    const frozen = await open({ ownerId: frank, name: 'Other', externalId });
    const hers = await open({ ownerId: gina, name, metadata: { branch: 'Bonn' } });
    const state = AccountState.FROZEN;
    await service.accounts.changeAccountState(
      { accountId: frozen, state, expectedVersion: 0n, reason: '' },
      operator,
    );
    const found = async (filter: Partial<ListAccountsRequest>, caller = operator) => {
      const { accounts } = await service.accounts.listAccounts(asked({ pageSize: 100, ...filter }), caller);
      return accounts.map(({ id }) => id);
    };
    expect(await found({ ownerId: frank })).toEqual([frozen, first]);
    expect(await found({ name })).toEqual([hers, first]);
    expect(await found({ externalId })).toEqual([frozen, first]);
    expect(await found({ externalId, state })).toEqual([frozen]);
    expect(await found({ externalId, state: AccountState.ACTIVE, name, ownerId: frank })).toEqual([first]);
    expect(await found({ state })).toContain(frozen);
    expect(await found({ state })).not.toContain(first);
    expect(await found({ name: 'rent' })).toEqual([]);
    // A customer finds its own, and learns nothing of others.
    const asGina = await as(gina, 'customer');
    expect(await found({ name }, asGina)).toEqual([hers]);
    expect(await found({ ownerId: frank }, asGina)).toEqual([]);
    expect(await found({ ownerId: gina }, asGina)).toEqual([hers]);
    const { account } = await service.accounts.getAccount({ accountId: hers }, asGina);
    expect(account).toMatchObject({ externalId: '', metadata: { branch: 'Bonn' } });
  });

  it('lists all accounts for an auditor, but never the external account', async () => {
    const { accounts } = await service.accounts.listAccounts(
      asked({ pageSize: 100 }),
      await as('usr_a', 'auditor'),
    );
    expect(new Set(accounts.map(({ ownerId }) => ownerId)).size).toBeGreaterThan(2);
    expect(accounts.filter(({ id }) => id.startsWith('external:'))).toEqual([]);
  });

  it('pages through all balances, also external ones, and they add up to zero', async () => {
    await openAccount(service, { balance: 1_234n });
    let sum = 0n;
    const ids: string[] = [];
    let pageToken = '';
    do {
      const page = await service.accounts.listBalances(
        { pageSize: 4, pageToken, accountIds: [] },
        await as('usr_a', 'auditor'),
      );
      for (const { accountId, postedMinor } of page.balances) {
        ids.push(accountId);
        sum += postedMinor;
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(sum).toBe(0n);
    expect(ids).toContain('external:EUR');
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  it('pages through the balances of given accounts only', async () => {
    const opened = [await openAccount(service), await openAccount(service)];
    const accountIds = ['acct_none', ...opened].reverse();
    const request = { pageSize: 1, pageToken: '', accountIds };
    const first = await service.accounts.listBalances(request, await as('usr_a', 'auditor'));
    const { nextPageToken: pageToken } = first;
    const rest = { ...request, pageSize: 0, pageToken };
    const second = await service.accounts.listBalances(rest, await as('usr_a', 'auditor'));
    expect([...first.balances, ...second.balances].map(({ accountId }) => accountId)).toEqual(opened.sort());
    expect(second.nextPageToken).toBe('');
  });
});

describe('access', () => {
  /** Clients without a certificate. */
  let plain: Neighbour<AuthorizationServiceService>;
  let plainAccounts: Neighbour<AccountServiceService>;
  beforeAll(() => {
    const settings = { target: service.target, certificates: testCertificates() };
    plain = connectGrpc<AuthorizationServiceService>(AuthorizationServiceClient, settings);
    plainAccounts = connectGrpc<AccountServiceService>(AccountServiceClient, settings);
  });
  afterAll(() => {
    plain.close();
    plainAccounts.close();
  });

  type Rpc = (settings: CallSettings) => Promise<unknown>;
  const rpcs: Record<string, { call: Rpc; openTo: RoleName[] }> = {
    BatchAuthorize: {
      call: (settings) =>
        plain.batchAuthorize(
          { items: [item({ fromAccount: 'acct_a', toAccount: 'acct_b' })], sentAt: undefined },
          settings,
        ),
      openTo: [],
    },
    CreateAccount: {
      call: (settings) => service.accounts.createAccount(opening(), settings),
      openTo: ['operator'],
    },
    GetAccount: {
      call: (settings) => service.accounts.getAccount({ accountId: 'acct_none' }, settings),
      openTo: ['customer', 'operator', 'auditor'],
    },
    ListAccounts: {
      call: (settings) => service.accounts.listAccounts(asked(), settings),
      openTo: ['customer', 'operator', 'auditor'],
    },
    ListAccountIds: {
      call: (settings) => service.accounts.listAccountIds({ pageSize: 0, pageToken: '' }, settings),
      openTo: ['customer'],
    },
    UpdateAccount: {
      call: (settings) =>
        service.accounts.updateAccount(
          {
            accountId: 'acct_none',
            expectedVersion: 1n,
            limits: undefined,
            metadata: {},
            removedMetadata: [],
          },
          settings,
        ),
      openTo: ['operator'],
    },
    ChangeAccountState: {
      call: (settings) =>
        service.accounts.changeAccountState(
          { accountId: 'acct_none', state: AccountState.FROZEN, expectedVersion: 0n, reason: '' },
          settings,
        ),
      openTo: ['operator'],
    },
    ListAccountAuditRecords: {
      call: (settings) =>
        service.accounts.listAccountAuditRecords(
          { pageSize: 0, pageToken: '', accountId: '', actorId: '' },
          settings,
        ),
      openTo: ['operator', 'auditor'],
    },
    CaptureHold: {
      call: (settings) => plain.captureHold(captureOf('pay_none'), settings),
      openTo: [],
    },
    ReleaseHold: {
      call: (settings) => plain.releaseHold(cancelOf('pay_none'), settings),
      openTo: [],
    },
    RefundTransfer: {
      call: (settings) =>
        plain.refundTransfer(refundOf({ fromAccount: 'acct_a', toAccount: 'acct_b' }), settings),
      openTo: [],
    },
    SimulateAuthorization: {
      call: (settings) =>
        plain.simulateAuthorization({ item: item({ fromAccount: 'acct_a', toAccount: 'acct_b' }) }, settings),
      openTo: [],
    },
    ListBalances: {
      call: (settings) =>
        plainAccounts.listBalances({ pageSize: 0, pageToken: '', accountIds: [] }, settings),
      openTo: ['operator', 'auditor'],
    },
  };
  const roles: RoleName[] = ['customer', 'operator', 'auditor'];

  it.each(Object.entries(rpcs))('to %s is as the access table says', async (_, { call, openTo }) => {
    const codeOf = (settings: CallSettings) =>
      call(settings).then(
        () => status.OK,
        (error: NeighbourError) => error.code,
      );
    for (const role of roles) {
      const code = await codeOf(await as(`usr_${role}`, role));
      expect(code === status.PERMISSION_DENIED, `${role} got ${status[code]}`).toBe(!openTo.includes(role));
    }
    expect(await codeOf({ deadlineMs: PATIENCE_MS })).toBe(status.UNAUTHENTICATED);
    expect(await codeOf({ deadlineMs: PATIENCE_MS, accessToken: 'made.up.token' })).toBe(
      status.UNAUTHENTICATED,
    );
  });

  it('lets no user spend from the account of another, whoever the calling service names', async () => {
    const fromAccount = await openAccount(service, { balance: 1_000n });
    const toAccount = await openAccount(service, { ownerId: 'usr_mallory' });
    const [answer] = await service.authorize(item({ fromAccount, toAccount, callerId: 'usr_mallory' }));
    expect(answer?.decision).toMatchObject({
      code: 'FROM_ACCOUNT_NOT_FOUND',
      fromOwnerId: '',
      toOwnerId: '',
    });
    expect((await accountOf(service, fromAccount)).balance.postedMinor).toBe(1_000n);
  });
});
