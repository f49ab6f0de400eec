import { status } from '@grpc/grpc-js';
import { connectGrpc, type GrpcServer, type Neighbour, serveGrpc } from '@payflowx/chassis';
import {
  attackedList,
  createTestIdentity,
  expectTokensToBeBound,
  PATIENCE_MS,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { AnalyticsServiceClient, AnalyticsServiceService } from '@payflowx/proto/analytics';
import type { Payment } from '@payflowx/proto/payment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countPayments } from '../src/app/count-payments.ts';
import { type Accounts, connectAccounts } from '../src/clients/accounts.ts';
import { decodePaymentEvent } from '../src/consumers/payment-events.ts';
import { analyticsService } from '../src/rpc/analytics-service.ts';
import { type AnalyticsDatabase, createAnalyticsDatabase } from './fixture.ts';
import { encode, paymentEvent, startAccountService, transfer } from './neighbours.ts';

const identity = createTestIdentity();
const roles = { ann: 'customer', eve: 'customer', auditor: 'auditor' } as const;
const NOW = new Date('2026-03-10T12:00:00.000Z');

let analytics: AnalyticsDatabase;
let authorization: Awaited<ReturnType<typeof startAccountService>>;
let accounts: Accounts;
let server: GrpcServer;
let client: Neighbour<typeof AnalyticsServiceService>;
let ledger: Neighbour<typeof AnalyticsServiceService>;

const as = async (who: keyof typeof roles) => ({
  deadlineMs: PATIENCE_MS,
  accessToken: await identity.tokenFor({ id: `usr_${who}`, roles: [roles[who]] }),
});

const completed = (day: string, amount: bigint, payment: Partial<Payment> = {}) =>
  paymentEvent('COMPLETED', {
    occurredAt: new Date(`${day}T10:00:00.000Z`),
    movements: [transfer(payment.fromAccount ?? 'acct_ann', payment.toAccount ?? 'acct_bob', amount)],
    payment: { capturedMinor: amount, ...payment },
  });
const inDollars = { currency: 'USD', fromAccount: 'acct_joe', toAccount: 'acct_sue' };

beforeAll(async () => {
  [analytics, authorization] = await Promise.all([
    createAnalyticsDatabase(),
    startAccountService(identity, { acct_ann: 'usr_ann', acct_bob: 'usr_bob', acct_new: 'usr_ann' }),
  ]);
  accounts = connectAccounts({ target: authorization.target, certificates: testCertificates('analytics') });
  const service = analyticsService({ db: analytics.db, accounts, now: () => NOW });
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    pageTokenKey: testPageTokenKey,
    certificates: testCertificates('analytics'),
    verifier: identity.verifier,
    log: testLog,
  };
  server = await serveGrpc(settings, [service]);
  const target = `ipv4:127.0.0.1:${server.port}`;
  client = connectGrpc(AnalyticsServiceClient, { target, certificates: testCertificates() });
  ledger = connectGrpc(AnalyticsServiceClient, { target, certificates: testCertificates('ledger') });

  const events = [
    paymentEvent('INITIATED'),
    completed('2026-01-15', 1n),
    completed('2026-03-01', 100n),
    completed('2026-03-02', 200n),
    completed('2026-03-02', 5n, inDollars),
    paymentEvent('FAILED', { occurredAt: new Date('2026-03-02T11:00:00.000Z') }),
    paymentEvent('REFUNDED', {
      occurredAt: new Date('2026-03-03T09:00:00.000Z'),
      movements: [transfer('acct_bob', 'acct_ann', 40n)],
    }),
  ];
  await countPayments(
    analytics,
    events.flatMap((event) => decodePaymentEvent(encode(event)) ?? []),
  );
});

afterAll(async () => {
  client.close();
  ledger.close();
  await server.drain();
  accounts.close();
  await authorization.stop();
  await analytics.drop();
});

describe('the summary', () => {
  it('sums all days by currency, and gives the time of the latest event', async () => {
    const { totals, asOf } = await client.getSummary({ currency: '' }, await as('auditor'));
    expect(totals).toEqual([
      {
        currency: 'EUR',
        initiatedCount: 1n,
        completedCount: 3n,
        failedCount: 1n,
        cancelledCount: 0n,
        expiredCount: 0n,
        refundCount: 1n,
        capturedMinor: 301n,
        refundedMinor: 40n,
        capturedSum: '301',
        refundedSum: '40',
        successRate: 0.75,
      },
      expect.objectContaining({ currency: 'USD', capturedMinor: 5n, successRate: 1 }),
    ]);
    expect(asOf).toEqual(new Date('2026-03-03T09:00:00.000Z'));
  });

  it('is empty for a currency without payments', async () => {
    expect(await client.getSummary({ currency: 'JPY' }, await as('auditor'))).toEqual({
      totals: [],
      asOf: undefined,
    });
  });

  it('refuses customers', async () => {
    const denied = { code: status.PERMISSION_DENIED };
    await expect(client.getSummary({ currency: '' }, await as('ann'))).rejects.toMatchObject(denied);
    const days = client.listDailyTotals({ from: '', to: '', currency: '' }, await as('ann'));
    await expect(days).rejects.toMatchObject(denied);
  });
});

describe('the daily totals', () => {
  const daysOf = async (from: string, to: string, currency = '') => {
    const { days } = await client.listDailyTotals({ from, to, currency }, await as('auditor'));
    return days.map(({ day, totals }) => [day, totals?.currency, totals?.capturedMinor]);
  };

  it('are those of the last thirty days, oldest first, if no range is given', async () => {
    expect(await daysOf('', '')).toEqual([
      ['2026-03-01', 'EUR', 100n],
      ['2026-03-02', 'EUR', 200n],
      ['2026-03-02', 'USD', 5n],
      ['2026-03-03', 'EUR', 0n],
    ]);
  });

  it('are those of a range, both ends included, in one currency if requested', async () => {
    expect(await daysOf('2026-01-15', '2026-03-01')).toEqual([
      ['2026-01-15', 'EUR', 1n],
      ['2026-03-01', 'EUR', 100n],
    ]);
    expect(await daysOf('2026-03-02', '2026-03-02', 'USD')).toEqual([['2026-03-02', 'USD', 5n]]);
  });

  it.each([
    ['2026-02-30', '2026-03-01', 'from'],
    ['2026-03-01', 'yesterday', 'to'],
    ['2026-03-02', '2026-03-01', 'from'],
    ['2025-01-01', '2026-03-01', 'to'],
  ])('refuse the range %s to %s and name %s', async (from, to, field) => {
    await expect(daysOf(from, to)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'INVALID_ARGUMENT',
      violations: [expect.objectContaining({ field })],
    });
  });
});

describe('an account’s totals', () => {
  const totalsOf = async (accountId: string, who: keyof typeof roles = 'ann') =>
    (await client.getAccountTotals({ accountId }, await as(who))).totals;

  it('are the amounts that it sent and received, and its declined payments', async () => {
    expect(await totalsOf('acct_ann')).toEqual({
      currency: 'EUR',
      sentCount: 3n,
      sentMinor: 301n,
      receivedCount: 0n,
      receivedMinor: 0n,
      sentSum: '301',
      receivedSum: '0',
      failedCount: 1n,
    });
    expect(await totalsOf('acct_bob', 'auditor')).toMatchObject({ receivedCount: 3n, receivedMinor: 301n });
  });

  it('are 0 for an account without payments', async () => {
    expect(await totalsOf('acct_new')).toMatchObject({ currency: 'EUR', sentCount: 0n, receivedCount: 0n });
  });

  it('are not found for another customer, nor for a missing account', async () => {
    const missing = { code: status.NOT_FOUND, reason: 'ACCOUNT_NOT_FOUND' };
    await expect(totalsOf('acct_ann', 'eve')).rejects.toMatchObject(missing);
    await expect(totalsOf('acct_none', 'auditor')).rejects.toMatchObject(missing);
  });
});

describe('figures of accounts', () => {
  const figures = async (request = {}) =>
    ledger.listAccountFigures(
      { pageSize: 0, pageToken: '', accountIds: [], ...request },
      { deadlineMs: PATIENCE_MS },
    );

  it('are the amounts that each account sent and received, with its currency, page by page', async () => {
    const all = [
      {
        accountId: 'acct_ann',
        currency: 'EUR',
        sentMinor: 301n,
        receivedMinor: 0n,
        sentSum: '301',
        receivedSum: '0',
      },
      {
        accountId: 'acct_bob',
        currency: 'EUR',
        sentMinor: 0n,
        receivedMinor: 301n,
        sentSum: '0',
        receivedSum: '301',
      },
      {
        accountId: 'acct_joe',
        currency: 'USD',
        sentMinor: 5n,
        receivedMinor: 0n,
        sentSum: '5',
        receivedSum: '0',
      },
      {
        accountId: 'acct_sue',
        currency: 'USD',
        sentMinor: 0n,
        receivedMinor: 5n,
        sentSum: '0',
        receivedSum: '5',
      },
    ];
    expect(await figures()).toEqual({ accounts: all, nextPageToken: '' });
    const first = await figures({ pageSize: 3 });
    expect(first.accounts).toEqual(all.slice(0, 3));
    const second = await figures({ pageSize: 3, pageToken: first.nextPageToken });
    expect(second).toEqual({ accounts: all.slice(3), nextPageToken: '' });
    const some = await figures({ accountIds: ['acct_sue', 'acct_none', 'acct_ann'] });
    expect(some.accounts).toEqual([all[0], all[3]]);
  });

  it('accept a page token only for their own list, caller and filters', async () => {
    await expectTokensToBeBound([AnalyticsServiceService], {
      listAccountFigures: attackedList({
        call: ledger.listAccountFigures,
        filters: { accountIds: ['acct_ann', 'acct_bob'] },
        as: { deadlineMs: PATIENCE_MS },
        // No other service may call it.
        otherCallers: [],
        otherFilters: [{ accountIds: [] }, { accountIds: ['acct_ann', 'acct_joe'] }],
      }),
    });
  });

  it('are for services only', async () => {
    for (const who of ['ann', 'auditor'] as const) {
      await expect(
        client.listAccountFigures({ pageSize: 0, pageToken: '', accountIds: [] }, await as(who)),
      ).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    }
  });
});
