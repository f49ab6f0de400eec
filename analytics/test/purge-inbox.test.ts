/** The purge of the inbox: old ids leave, and no event is counted twice or lost because of it. */
import { openDatabase } from '@payflowx/chassis/postgres';
import { testLog } from '@payflowx/chassis/testing';
import { type Kysely, sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { countPayments } from '../src/app/count-payments.ts';
import { purgeInbox, REST_MS } from '../src/app/purge-inbox.ts';
import { firstIdAt } from '../src/domain/event-id.ts';
import type { PaymentFact } from '../src/domain/totals.ts';
import { sumDays } from '../src/store/daily-totals.ts';
import type { Database } from '../src/store/database.ts';
import { emptyTables } from '../src/store/empty-tables.ts';
import { withoutPurge } from '../src/store/inbox-horizon.ts';
import { type AnalyticsDatabase, createAnalyticsDatabase } from './fixture.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const NOW = new Date('2026-03-31T12:00:00Z');
const AT_ONCE = 0;

let analytics: AnalyticsDatabase;
let owner: Kysely<Database>;
beforeEach(async () => {
  analytics = await createAnalyticsDatabase();
  owner = openDatabase<Database>({ url: analytics.migrateUrl, poolMax: 2 }, testLog);
});
afterEach(async () => {
  await owner.destroy();
  await analytics.drop();
});

const eventAt = (daysAgo: number): PaymentFact => ({
  eventId: `${firstIdAt(NOW.getTime() - daysAgo * DAY_MS)}-7000-8000-000000000000`,
  type: 'completed',
  occurredAt: new Date(NOW.getTime() - daysAgo * DAY_MS),
  currency: 'EUR',
  fromAccount: 'acct_a',
  toAccount: 'acct_b',
  isPayerKnown: true,
  capturedMinor: 100n,
  refundedMinor: 0n,
  hasMoved: true,
});

const count = (...daysAgo: number[]) => countPayments(analytics, daysAgo.map(eventAt));
const purge = ({ lag = 0n, restMs = AT_ONCE, now = NOW } = {}) =>
  purgeInbox({ db: analytics.db, log: testLog, lag: async () => lag, now: () => now }, restMs);

async function inboxSize(): Promise<bigint> {
  const { rows } = await sql<{ count: bigint }>`select count(*) as count from inbox`.execute(analytics.db);
  return rows[0]?.count ?? 0n;
}
const completed = async () => (await sumDays(analytics.db, 'EUR'))[0]?.completedCount;

it('keeps the ids of a week, and counts no event again whose id has left', async () => {
  await count(20, 10, 8, 6, 0);
  for (let round = 0; round < 3; round += 1) await purge();
  expect(await inboxSize()).toBe(2n);
  await count(20, 10, 8, 6, 0);
  expect(await completed()).toBe(5n);
  // A late event of this week still counts.
  await count(5);
  expect(await completed()).toBe(6n);
});

it('counts all events after an outage that was longer than a week, in whatever order partitions are read', async () => {
  await count(30);
  await purge();
  // The newest events of one partition come before the old events of another.
  await count(0);
  await purge();
  await count(20);
  expect(await completed()).toBe(3n);
});

it('does nothing while the consumer lags behind, or soon after the last move', async () => {
  await count(20, 0);
  await purge();
  await purge();
  for (let round = 0; round < 2; round += 1) {
    await purge({ lag: 10_001n });
    await purge({ restMs: REST_MS });
  }
  expect(await inboxSize()).toBe(2n);
  await purge();
  expect(await inboxSize()).toBe(1n);
});

it('does not move the horizon past the present for an event from a clock that is ahead', async () => {
  await count(0, -400);
  for (let round = 0; round < 3; round += 1) await purge();
  await count(1);
  expect(await completed()).toBe(3n);
});

it('leaves a rebuild alone, and a rebuild counts the oldest events again', async () => {
  await count(20, 0);
  for (let round = 0; round < 3; round += 1) await purge();
  await withoutPurge(owner, async () => {
    await emptyTables(owner);
    await count(0);
    for (let round = 0; round < 3; round += 1) await purge();
    await count(20);
  });
  expect(await completed()).toBe(2n);
});
