import { newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { testLog } from '@payflowx/chassis/testing';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { countPayments } from '../src/app/count-payments.ts';
import { type EventType, type PaymentFact, sumUp } from '../src/domain/totals.ts';
import { listAccountTotalsAfter } from '../src/store/account-totals.ts';
import { listDays, sumDays } from '../src/store/daily-totals.ts';
import type { Database } from '../src/store/database.ts';
import { emptyTables } from '../src/store/empty-tables.ts';
import { type AnalyticsDatabase, createAnalyticsDatabase } from './fixture.ts';

let analytics: AnalyticsDatabase;
let owner: ReturnType<typeof openDatabase<Database>>;

beforeAll(async () => {
  analytics = await createAnalyticsDatabase();
  owner = openDatabase<Database>({ url: analytics.migrateUrl, poolMax: 1 }, testLog);
});

beforeEach(() => emptyTables(owner));

afterAll(async () => {
  await owner.destroy();
  await analytics.drop();
});

const TYPES: EventType[] = [
  'initiated',
  'captured',
  'completed',
  'failed',
  'cancelled',
  'expired',
  'refunded',
];
const ACCOUNTS = ['acct_a', 'acct_b', 'acct_c'];

const facts = fc.array(
  fc.record({
    type: fc.constantFrom(...TYPES),
    occurredAt: fc.date({
      min: new Date('2026-03-01T00:00:00Z'),
      max: new Date('2026-03-04T00:00:00Z'),
      noInvalidDate: true,
    }),
    currency: fc.constantFrom('EUR', 'USD'),
    fromAccount: fc.constantFrom(...ACCOUNTS),
    toAccount: fc.constantFrom(...ACCOUNTS),
    isPayerKnown: fc.boolean(),
    capturedMinor: fc.bigInt({ min: 0n, max: 1_000_000n }),
    refundedMinor: fc.bigInt({ min: 0n, max: 1_000_000n }),
    hasMoved: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
);

/** Every fact one to three times, in any order, in batches of any size. */
const delivery = (count: number) =>
  fc
    .tuple(
      fc.array(fc.nat(count - 1), { maxLength: 2 * count }),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      fc.infiniteStream(fc.nat()),
    )
    .map(([repeats, sizes, order]) => {
      const deliveries = [...Array(count).keys(), ...repeats]
        .map((index) => ({ index, at: order.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ index }) => index);
      const flushes: number[][] = [];
      while (deliveries.length > 0) flushes.push(deliveries.splice(0, sizes.next().value ?? 1));
      return flushes;
    });

describe('counting payments', () => {
  it('gives the same totals for any order, number of deliveries and number of instances', async () => {
    const scenario = facts.chain((all) => fc.tuple(fc.constant(all), delivery(all.length)));
    await fc.assert(
      fc.asyncProperty(scenario, async ([all, flushes]) => {
        await emptyTables(owner);
        const events: PaymentFact[] = all.map((fact) => ({ ...fact, eventId: newId('evt') }));
        await Promise.all(
          flushes.map((indexes) =>
            countPayments(
              analytics,
              indexes.flatMap((index) => events[index] ?? []),
            ),
          ),
        );
        const { days, accounts } = sumUp(events);
        const everything = { from: '2026-01-01', to: '2026-12-31', currency: '' };
        expect(await listDays(analytics.db, everything)).toEqual(days);
        expect(await listAccountTotalsAfter(analytics.db, '', 100)).toEqual(
          accounts.map(({ currency, ...totals }) => totals),
        );
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    'truncate daily_totals',
    'truncate inbox',
    'update inbox set event_id = event_id',
    'delete from account_totals',
  ])('refuses the serving role: %s', async (change) => {
    await expect(sql.raw(change).execute(analytics.db)).rejects.toThrow(/permission denied/);
  });
});

it('counts turnover beyond int8: largest payments that go back and forth all day', async () => {
  const largest = 9_007_199_254_740_991n;
  const fact = (index: number): PaymentFact => ({
    eventId: newId('evt'),
    type: 'completed',
    occurredAt: new Date('2026-03-01T12:00:00Z'),
    currency: 'IDR',
    fromAccount: index % 2 === 0 ? 'acct_a' : 'acct_b',
    toAccount: index % 2 === 0 ? 'acct_b' : 'acct_a',
    isPayerKnown: true,
    capturedMinor: largest,
    refundedMinor: largest,
    hasMoved: true,
  });
  for (let batch = 0; batch < 5; batch += 1) {
    await countPayments(
      analytics,
      Array.from({ length: 500 }, (_, index) => fact(index)),
    );
  }
  const turnover = 2_500n * largest;
  expect(turnover).toBeGreaterThan(2n ** 64n);
  const day = { from: '2026-03-01', to: '2026-03-01', currency: 'IDR' };
  expect(await listDays(analytics.db, day)).toMatchObject([
    { completedCount: 2_500n, capturedMinor: turnover, refundedMinor: turnover },
  ]);
  expect(await sumDays(analytics.db, 'IDR')).toMatchObject([
    { completedCount: 2_500n, capturedMinor: turnover, refundedMinor: turnover },
  ]);
  expect(await listAccountTotalsAfter(analytics.db, '', 2)).toMatchObject([
    { accountId: 'acct_a', sentMinor: turnover / 2n, receivedMinor: turnover / 2n },
    { accountId: 'acct_b', sentMinor: turnover / 2n, receivedMinor: turnover / 2n },
  ]);
});
