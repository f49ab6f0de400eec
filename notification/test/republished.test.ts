/** Events that payment publishes again, after a loss or by mistake. */
import { newId } from '@payflowx/chassis';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordSteps } from '../src/app/record-steps.ts';
import { contact, type MailPlatform, startMailPlatform, step } from './mail-platform.ts';
import { startMailServer, type TestMailServer } from './smtp-servers.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const RETENTION_MS = 30 * DAY_MS;

let server: TestMailServer;
let platform: MailPlatform;
beforeAll(async () => {
  server = await startMailServer({});
  platform = await startMailPlatform(server.url);
});
afterAll(async () => {
  await platform?.stop();
  await server?.close();
});

const record = (...steps: ReturnType<typeof step>[]) =>
  recordSteps(
    { db: platform.db, wake: () => {}, addMailJobs: platform.addJobs, retentionMs: RETENTION_MS },
    steps,
  );

/** The number of notifications, events and mails of these users or events. */
async function countOf(users: string[], eventId: string) {
  const { rows } = await sql<{ notifications: bigint; events: bigint; mails: bigint }>`select
    (select count(*) from notifications where event_id = ${eventId}) as notifications,
    (select count(*) from events where id = ${eventId}) as events,
    (select count(*) from mails where user_id = any(${users}::text[])) as mails`.execute(platform.db);
  return Object.values(rows[0] ?? {}).map(Number);
}

it('a step that was recorded before causes no mail, even if its recipients want mails only since then', async () => {
  const users = [newId('usr'), newId('usr')];
  const [payer = '', payee = ''] = users;
  const payment = { ...step(payer, payee), occurredAt: new Date() };
  await record(payment);
  await platform.announce(contact(payer), contact(payee));
  await record(payment);
  expect(await countOf(users, payment.eventId)).toEqual([2, 1, 0]);
});

it('a step that is older than the log gets its notifications, but no event, no delivery and no mail', async () => {
  const users = [newId('usr'), newId('usr')];
  const [payer = '', payee = ''] = users;
  await platform.announce(contact(payer), contact(payee));
  const old = { ...step(payer, payee), occurredAt: new Date(Date.now() - RETENTION_MS - DAY_MS) };
  const recent = { ...step(payer, payee), occurredAt: new Date() };
  await record(old, recent);
  expect(await countOf(users, old.eventId)).toEqual([2, 0, 2]);
  expect(await countOf(users, recent.eventId)).toEqual([2, 1, 2]);
});
