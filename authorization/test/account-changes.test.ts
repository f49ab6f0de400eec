/** Changes that operators make to accounts, and their audit records. */
import { status } from '@grpc/grpc-js';
import type { CallSettings } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { AccountState, CaptureMode, type UpdateAccountRequest } from '@payflowx/proto/authorization';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { times } from './books.ts';
import {
  accountOf,
  captureOf,
  item,
  openAccount,
  type RunningService,
  refundOf,
  startService,
} from './running-service.ts';

let service: RunningService;
let asOperator: CallSettings;
let now: Date;

beforeAll(async () => {
  service = await startService({ instances: 2, now: () => now });
  asOperator = { deadlineMs: PATIENCE_MS, accessToken: service.tokens.operator };
});
beforeEach(() => {
  now = new Date('2025-03-10T09:00:00Z');
});
afterAll(() => service.stop());

const NO_LIMITS = {
  perPaymentMinor: undefined,
  dailyMinor: undefined,
  monthlyMinor: undefined,
  dailyCount: undefined,
};
const update = (accountId: string, change: Partial<UpdateAccountRequest>) =>
  service.accounts.updateAccount(
    { accountId, expectedVersion: 1n, limits: undefined, metadata: {}, removedMetadata: [], ...change },
    asOperator,
  );
const lead = (accountId: string, state: AccountState, expectedVersion = 0n, reason = '') =>
  service.accounts.changeAccountState({ accountId, state, expectedVersion, reason }, asOperator);
const auditOf = async (accountId: string) => {
  const request = { pageSize: 0, pageToken: '', accountId, actorId: '' };
  return (await service.accounts.listAccountAuditRecords(request, asOperator)).records;
};
const actionsOf = async (accountId: string) => (await auditOf(accountId)).map(({ action }) => action);
const refusal = (code: status, reason: string, metadata = {}) =>
  expect.objectContaining({ code, reason, metadata: expect.objectContaining(metadata) });

describe('an update', () => {
  it('changes the given fields, keeps the rest, and raises the version', async () => {
    const id = await openAccount(service, { limits: { dailyMinor: 5n, dailyCount: 3 } });
    const { account } = await update(id, { name: 'Rent', timeZone: 'Europe/Berlin' });
    expect(account).toMatchObject({ name: 'Rent', timeZone: 'Europe/Berlin', version: 2n });
    expect(account?.limits).toEqual({ ...NO_LIMITS, dailyMinor: 5n, dailyCount: 3 });
    const limited = await update(id, { expectedVersion: 2n, limits: { monthlyMinor: 7n } });
    expect(limited.account).toMatchObject({ name: 'Rent', version: 3n });
    expect(limited.account?.limits).toEqual({ ...NO_LIMITS, monthlyMinor: 7n });
  });

  it('with an outdated version is refused with the latest version', async () => {
    const id = await openAccount(service);
    await update(id, { name: 'First' });
    await expect(update(id, { name: 'Second' })).rejects.toEqual(
      refusal(status.ABORTED, 'VERSION_MISMATCH', { version: '2' }),
    );
    expect((await accountOf(service, id)).name).toBe('First');
  });

  it('succeeds for exactly one of many with the same version', async () => {
    const id = await openAccount(service);
    const answers = await Promise.allSettled(times(20, (n) => update(id, { name: `Name ${n}` })));
    expect(answers.filter(({ status: outcome }) => outcome === 'fulfilled').length).toBe(1);
    expect((await accountOf(service, id)).version).toBe(2n);
    expect(await actionsOf(id)).toEqual(['account.updated', 'account.created']);
  });

  it('of an operator’s own account is refused, and so is a change of its state', async () => {
    const { sub: ownerId } = JSON.parse(
      Buffer.from(service.tokens.operator.split('.')[1] ?? '', 'base64url').toString(),
    );
    const id = await openAccount(service);
    await service.sql('update accounts set owner_id = $1 where id = $2', [ownerId, id]);
    const refused = refusal(status.PERMISSION_DENIED, 'OWN_ACCOUNT');
    await expect(update(id, { limits: { dailyMinor: 9n } })).rejects.toEqual(refused);
    await expect(lead(id, AccountState.FROZEN)).rejects.toEqual(refused);
    expect(await actionsOf(id)).toEqual(['account.created']);
  });

  it('without a change writes no audit record', async () => {
    const id = await openAccount(service);
    const { account } = await update(id, { name: '', limits: NO_LIMITS, timeZone: 'UTC' });
    expect(account?.version).toBe(1n);
    expect(await actionsOf(id)).toEqual(['account.created']);
  });

  it('of limits and time zone applies to the next payment', async () => {
    now = new Date('2025-03-31T22:30:00Z');
    const fromAccount = await openAccount(service, { balance: 1_000n });
    const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
    await service.authorize(item({ fromAccount, toAccount, amountMinor: 300n }));
    await update(fromAccount, { limits: { dailyMinor: 350n } });
    const pay = async () => {
      const [answer] = await service.authorize(item({ fromAccount, toAccount, amountMinor: 100n }));
      return answer?.decision?.code;
    };
    expect(await pay()).toBe('DAILY_LIMIT_EXCEEDED');
    // Half past midnight there, so another day. Moved back it stays that day: no day is opened a second time.
    await update(fromAccount, { expectedVersion: 2n, timeZone: 'Europe/Berlin' });
    expect(await pay()).toBe('');
    await update(fromAccount, { expectedVersion: 3n, timeZone: 'UTC' });
    expect((await accountOf(service, fromAccount)).usage.dailyMinor).toBe(100n);
  });

  it.each([
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: 'a\0b' }],
    ['limits.daily_minor', { limits: { dailyMinor: -1n } }],
    ['time_zone', { timeZone: 'Europe/Atlantis' }],
    ['time_zone', { timeZone: '' }],
    ['time_zone', { timeZone: '+02:00' }],
    ['expected_version', { expectedVersion: 0n }],
    ['account_id', { accountId: 'external:EUR' }],
  ])('is refused for an invalid %s', async (field, change) => {
    const id = await openAccount(service);
    await expect(update(id, change)).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      violations: [{ field }],
    });
  });

  it('of an unknown account is not found', async () => {
    for (const id of ['acct_none', '']) {
      await expect(update(id, { name: 'x' })).rejects.toEqual(refusal(status.NOT_FOUND, 'ACCOUNT_NOT_FOUND'));
    }
  });
});

it('an account is opened only in an existing time zone', async () => {
  const id = await openAccount(service, { timeZone: 'Asia/Kolkata' });
  expect(await accountOf(service, id)).toMatchObject({ timeZone: 'Asia/Kolkata' });
  await expect(openAccount(service, { timeZone: 'Asia/Atlantis' })).rejects.toMatchObject({
    violations: [{ field: 'time_zone' }],
  });
});

describe('an account', () => {
  const pay = async (fromAccount: string, toAccount: string) => {
    const [answer] = await service.authorize(item({ fromAccount, toAccount, amountMinor: 1n }));
    return answer?.decision?.code;
  };

  it('that is frozen neither pays nor receives until it is unfrozen', async () => {
    const id = await openAccount(service, { balance: 10n });
    const other = await openAccount(service, { balance: 10n });
    expect((await lead(id, AccountState.FROZEN)).account).toMatchObject({
      state: AccountState.FROZEN,
      version: 2n,
    });
    expect(await pay(id, other)).toBe('FROM_ACCOUNT_NOT_ACTIVE');
    expect(await pay(other, id)).toBe('TO_ACCOUNT_NOT_ACTIVE');
    await lead(id, AccountState.ACTIVE, 2n);
    expect(await pay(id, other)).toBe('');
  });

  it('that is already in the state stays unchanged, without an audit record', async () => {
    const id = await openAccount(service);
    const { account: frozen } = await lead(id, AccountState.FROZEN, 1n);
    // A retry: its version is no longer the latest, but the account is already in the state.
    expect((await lead(id, AccountState.FROZEN, 1n)).account).toEqual(frozen);
    await lead(id, AccountState.CLOSED);
    expect((await lead(id, AccountState.CLOSED)).account?.version).toBe(3n);
    expect(await actionsOf(id)).toEqual(['account.closed', 'account.frozen', 'account.created']);
  });

  it('changes state only with the latest version, or with no version given', async () => {
    const id = await openAccount(service);
    await update(id, { name: 'New' });
    const stale = lead(id, AccountState.FROZEN, 1n);
    await expect(stale).rejects.toEqual(refusal(status.ABORTED, 'VERSION_MISMATCH', { version: '2' }));
    expect((await lead(id, AccountState.FROZEN, 2n)).account?.version).toBe(3n);
  });

  it('is closed only when it is empty and nothing is held, and then permanently', async () => {
    const id = await openAccount(service, { balance: 100n });
    const other = await openAccount(service, { ownerId: 'usr_bob' });
    const notEmpty = refusal(status.FAILED_PRECONDITION, 'ACCOUNT_NOT_EMPTY');
    await expect(lead(id, AccountState.CLOSED)).rejects.toEqual(notEmpty);
    const held = item({ fromAccount: id, toAccount: other, captureMode: CaptureMode.MANUAL });
    await service.authorize(held);
    await expect(lead(id, AccountState.CLOSED)).rejects.toEqual(notEmpty);
    await service.capture(captureOf(held.paymentId));
    await lead(id, AccountState.CLOSED);

    const closed = refusal(status.FAILED_PRECONDITION, 'INVALID_STATE', { state: 'CLOSED' });
    await expect(lead(id, AccountState.ACTIVE)).rejects.toEqual(closed);
    await expect(lead(id, AccountState.FROZEN)).rejects.toEqual(closed);
    await expect(update(id, { expectedVersion: 2n, name: 'x' })).rejects.toEqual(
      refusal(status.FAILED_PRECONDITION, 'ACCOUNT_CLOSED'),
    );
    const back = refundOf({ paymentId: held.paymentId, fromAccount: other, toAccount: id });
    expect((await service.refund(back)).decision?.code).toBe('TO_ACCOUNT_CLOSED');
  });

  it('never receives money after it was closed, even with both at once', async () => {
    const payer = await openAccount(service, { balance: 1_000n });
    for (const _ of times(20, String)) {
      const id = await openAccount(service);
      const [paid, closed] = await Promise.all([
        pay(payer, id),
        lead(id, AccountState.CLOSED).then(
          () => true,
          () => false,
        ),
      ]);
      expect(closed ? 'TO_ACCOUNT_CLOSED' : '').toBe(paid);
    }
  });

  it.each([
    ['state', { state: AccountState.UNSPECIFIED }],
    ['reason', { reason: 'x'.repeat(501) }],
    ['expected_version', { expectedVersion: -1n }],
    ['account_id', { accountId: 'external:EUR' }],
  ])('is not changed by a request with an invalid %s', async (field, change) => {
    const request = { accountId: 'acct_x', state: AccountState.FROZEN, expectedVersion: 0n, reason: '' };
    await expect(
      service.accounts.changeAccountState({ ...request, ...change }, asOperator),
    ).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT', violations: [{ field }] });
  });
});

describe('the audit log', () => {
  it('shows who did what, when, why and in which request, with the account before and after', async () => {
    const id = await openAccount(service, { limits: { dailyMinor: 5n } });
    now = new Date('2025-03-11T10:00:00Z');
    await update(id, { name: 'Rent', limits: { perPaymentMinor: 9_007_199_254_740_991n } });
    await lead(id, AccountState.FROZEN, 0n, 'Court order 12');
    const [frozen, updated, created] = await auditOf(id);
    expect(frozen).toMatchObject({ action: 'account.frozen', reason: 'Court order 12', accountId: id });
    expect(frozen?.beforeJson).toBe(updated?.afterJson);
    expect(updated).toMatchObject({ actorId: 'usr_operator', action: 'account.updated', createdAt: now });
    expect(updated?.id).toMatch(/^aud_/);
    expect(updated?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(updated?.callId).toMatch(/^call_/);
    expect(updated?.callId).not.toBe(created?.callId);
    expect(updated?.beforeJson).toBe(created?.afterJson);
    expect(JSON.parse(updated?.afterJson ?? '')).toEqual({
      id,
      owner_id: 'usr_alice',
      name: 'Rent',
      currency: 'EUR',
      state: 'ACTIVE',
      time_zone: 'UTC',
      external_id: '',
      metadata: {},
      limits: { per_payment: 9_007_199_254_740_991, daily: null, monthly: null, daily_count: null },
      version: 2,
    });
    expect(created).toMatchObject({ action: 'account.created', beforeJson: '', actorId: 'usr_operator' });
  });

  it('has one record of an account that the same request opens again', async () => {
    const request = {
      ...{ requestId: 'once', ownerId: 'usr_x', currency: 'EUR', name: '', timeZone: '' },
      ...{ externalId: '', metadata: {} },
    };
    const opened = await Promise.all(
      times(5, () => service.accounts.createAccount({ ...request, limits: undefined }, asOperator)),
    );
    expect(await actionsOf(opened[0]?.account?.id ?? '')).toEqual(['account.created']);
  });

  it('is written only with the change: a failed change leaves no record', async () => {
    const id = await openAccount(service, { balance: 1n });
    await lead(id, AccountState.CLOSED).catch(() => undefined);
    expect(await actionsOf(id)).toEqual(['account.created']);
  });

  it('is read page by page, newest first, by account and by operator, while it grows', async () => {
    const other = await service.tokenFor({ id: 'usr_second', roles: ['operator'] });
    const id = await openAccount(service);
    for (const n of times(7, BigInt)) await update(id, { expectedVersion: 1n + n, name: `Name ${n}` });
    await service.accounts.updateAccount(
      {
        ...{ accountId: id, expectedVersion: 8n, name: 'Theirs', limits: undefined },
        ...{ metadata: {}, removedMetadata: [] },
      },
      { ...asOperator, accessToken: other },
    );
    const all: string[] = [];
    let pageToken = '';
    do {
      const request = { pageSize: 3, pageToken, accountId: id, actorId: 'usr_operator' };
      const page = await service.accounts.listAccountAuditRecords(request, asOperator);
      all.push(...page.records.map(({ afterJson }) => JSON.parse(afterJson).name));
      pageToken = page.nextPageToken;
      await openAccount(service);
    } while (pageToken !== '');
    expect(all).toEqual([...times(7, (n) => `Name ${6 - n}`), '']);
    const byOther = await service.accounts.listAccountAuditRecords(
      { pageSize: 0, pageToken: '', accountId: '', actorId: 'usr_second' },
      asOperator,
    );
    expect(byOther.records.map(({ accountId }) => accountId)).toEqual([id]);
    await expect(
      service.accounts.listAccountAuditRecords(
        { pageSize: 0, pageToken: '', accountId: 'a b', actorId: '' },
        asOperator,
      ),
    ).rejects.toMatchObject({ violations: [{ field: 'account_id' }] });
  });
});
