import { newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, type TestDatabase, testLog } from '@payflowx/chassis/testing';
import { PaymentEvent, PaymentEventType } from '@payflowx/proto/payment';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type AllMissing, countMissingRecords } from '../src/app/count-missing-records.ts';
import { recordIdentityFacts } from '../src/app/record-identity-facts.ts';
import { recordSteps } from '../src/app/record-steps.ts';
import { decodeStep } from '../src/consumers/payment-notifications.ts';
import type { Database } from '../src/store/database.ts';
import { insertWebhookEndpoint } from './endpoint-row.ts';
import { contact } from './mail-platform.ts';
import { completed } from './notification.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const NONE = { events: {}, deliveries: {}, mails: {} };

let database: TestDatabase;
let db: Kysely<Database>;
/** The owner of the tables, who may delete notifications. */
let owner: Kysely<Database>;
let [payer, payee, operator] = ['', '', ''];

beforeAll(async () => {
  const migrations = new URL('../migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'notification', migrations });
  db = openDatabase<Database>({ url: database.url, poolMax: 2 }, testLog);
  owner = openDatabase<Database>({ url: database.migrateUrl, poolMax: 1 }, testLog);
});
afterAll(async () => {
  await Promise.all([db.destroy(), owner.destroy()]);
  await database.drop();
});
/** Both users have a mail address; the payee and an operator have an endpoint since an hour. */
beforeEach(async () => {
  await sql`truncate notifications, events, webhook_deliveries, webhook_attempts, mails`.execute(owner);
  await sql`delete from webhook_endpoints`.execute(owner);
  [payer, payee, operator] = [newId('usr'), newId('usr'), newId('usr')];
  await recordIdentityFacts({ db }, [contact(payer), contact(payee)]);
  const changedAt = new Date(Date.now() - HOUR_MS);
  await insertWebhookEndpoint(db, { owner_id: payee, updated_at: changedAt });
  await insertWebhookEndpoint(db, { owner_id: operator, sees_all: true, updated_at: changedAt });
});

/** Stores steps as the consumer does, with mails that are not sent. */
async function record(...events: PaymentEvent[]): Promise<void> {
  const steps = events.map((event) =>
    decodeStep({ payload: Buffer.from(PaymentEvent.encode(event).finish()) }),
  );
  await recordSteps({ db, wake: () => {}, addMailJobs: async () => {} }, steps);
}

async function missing(settings: { days?: number; mailDays?: number; max?: number; later?: number } = {}) {
  const { days = 30, mailDays = 90, max, later = 0 } = settings;
  const deps = {
    db,
    eventRetentionMs: days * DAY_MS,
    mailRetentionMs: mailDays * DAY_MS,
    now: () => new Date(Date.now() + later),
  };
  const { events, deliveries, mails } = await countMissingRecords(deps, max);
  return { events: byAccount(events), deliveries: byAccount(deliveries), mails: byAccount(mails) };
}

const byAccount = ({ listed, accountCount }: AllMissing['events']) => {
  expect(accountCount).toBe(BigInt(listed.length));
  return Object.fromEntries(listed.map(({ accountId, count }) => [accountId, Number(count)]));
};

it('finds nothing if everything is there, with one recipient or two, and with mails or without', async () => {
  const quiet = newId('usr');
  await record(
    completed(payer, payee),
    completed(quiet, payee),
    completed('', payee),
    completed(payer, '', { type: PaymentEventType.FAILED }),
  );
  expect(await missing()).toEqual(NONE);
  const { rows } = await sql`select count(*)::int as mails from mails`.execute(db);
  expect(rows).toEqual([{ mails: 5 }]);
});

it('finds a lost event, at the accounts of both sides', async () => {
  const [lost, kept] = [completed(payer, payee), completed(payer, payee)];
  await record(lost, kept);
  await sql`delete from events where id = ${lost.id}`.execute(db);
  expect(await missing()).toEqual({ ...NONE, events: { acct_a: 1, acct_b: 1 } });
});

it('finds an event without its delivery, at the account of the side that owns the endpoint', async () => {
  const events = [completed(payer, payee), completed(payer, payee), completed(payee, payer)];
  await record(...events);
  const lose = (seesAll: boolean) =>
    sql`delete from webhook_deliveries where endpoint_id in (select id from webhook_endpoints where sees_all = ${seesAll})`.execute(
      db,
    );
  await lose(false);
  expect(await missing()).toEqual({ ...NONE, deliveries: { acct_a: 1, acct_b: 2 } });
  await lose(true);
  expect(await missing()).toEqual({ ...NONE, deliveries: { acct_a: 4, acct_b: 2 } });
});

it.each([
  ['was not subscribed to the type', { event_types: ['payment.failed'] }],
  ['is disabled', { state: 'disabled' as const }],
  ['is deleted', { state: 'deleted' as const }],
  ['was changed after the event', { updated_at: new Date(Date.now() + HOUR_MS) }],
])('an endpoint that %s lacks no delivery', async (_, change) => {
  await record(completed(payer, payee));
  await sql`delete from webhook_deliveries`.execute(db);
  await db.updateTable('webhook_endpoints').set(change).execute();
  expect(await missing()).toEqual(NONE);
});

it('finds a notice without its mail, and no others', async () => {
  const event = completed(payer, payee);
  await record(event, completed(payer, payee));
  await sql`delete from mails where cause = ${`${event.id}:receiver`}`.execute(db);
  expect(await missing()).toEqual({ ...NONE, mails: { acct_b: 1 } });
});

it('examines nothing that is purged, is about to be, or is from before this was counted', async () => {
  await record(completed(payer, payee, { occurredAt: new Date(Date.now() - 10 * DAY_MS) }));
  await sql`delete from events`.execute(db);
  await sql`delete from mails`.execute(db);
  const lost = { events: { acct_a: 1, acct_b: 1 }, deliveries: {}, mails: { acct_a: 1, acct_b: 1 } };
  expect(await missing()).toEqual(lost);
  expect(await missing({ mailDays: 5 })).toEqual({ ...lost, mails: {} });
  expect(await missing({ days: 10 })).toEqual(NONE);
  expect(await missing({ later: 20 * DAY_MS - HOUR_MS / 2 })).toEqual(NONE);
  await sql`update notifications set has_mail = null`.execute(owner);
  expect(await missing()).toEqual(NONE);
});

it('examines a bounded number of notifications, the newest first', async () => {
  const at = (second: number) => ({ occurredAt: new Date(Date.now() - 60_000 + second * 1_000) });
  const events = Array.from({ length: 10 }, (_, second) => completed(payer, '', at(second)));
  await record(...events);
  await sql`delete from events`.execute(db);
  expect(await missing()).toMatchObject({ events: { acct_a: 10 } });
  expect(await missing({ max: 3 })).toMatchObject({ events: { acct_a: 3 } });
});
