import { newId } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import { PATIENCE_MS, sessionOf, testLog, untilBlocked } from '@payflowx/chassis/testing';
import { Decision, Outcome } from '@payflowx/proto/authorization';
import { PaymentEvent, PaymentEventType, Refund, RefundState } from '@payflowx/proto/payment';
import { sql, type Transaction } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FollowDeps, followEvents } from '../src/app/list-events.ts';
import { purgeEvents } from '../src/app/purge-events.ts';
import { watchEvents } from '../src/app/watch-events.ts';
import type { Database, EventRow } from '../src/store/database.ts';
import { newestPosition } from '../src/store/event-lists.ts';
import { recordEvents } from '../src/store/record-events.ts';
import { completed, startNotification, type TestNotification } from './notification.ts';

let platform: TestNotification;
beforeAll(async () => {
  platform = await startNotification();
});
afterAll(() => platform.stop());

const ALL = {
  pageSize: 100,
  pageToken: '',
  types: [],
  paymentId: '',
  accountId: '',
  createdAfter: undefined,
  createdBefore: undefined,
};

function decision() {
  const check = (name: string) => ({ name, passed: true, inputs: { posted: '5000' } });
  return Decision.encode({
    ...Decision.decode(new Uint8Array()),
    outcome: Outcome.APPROVED,
    checks: [check('balance'), check('rule')],
    decidedAt: new Date(),
  }).finish();
}

it('shows an event to both sides and to those who see all, to each its own view, and to no other user', async () => {
  const [payer, payee] = [newId('usr'), newId('usr')];
  const now = new Date();
  const refund: Refund = {
    ...Refund.decode(new Uint8Array()),
    id: newId('ref'),
    state: RefundState.COMPLETED,
    clientId: 'cli_refund',
    createdAt: now,
    updatedAt: now,
  };
  const told = completed(payer, payee, {
    type: PaymentEventType.REFUNDED,
    decision: decision(),
    refund,
    refundRequesterId: payee,
  });
  if (told.payment) told.payment.clientId = 'cli_payment';
  await platform.record(told);
  const seenBy = async (...who: Parameters<TestNotification['as']>) =>
    (await platform.client.getEvent({ eventId: told.id }, await platform.as(...who))).event;

  const byPayer = await seenBy(payer);
  expect(byPayer).toMatchObject({
    type: 'payment.refunded',
    payment: { reference: 'order-4711', metadata: { order: '4711' }, clientId: 'cli_payment' },
    refund: { id: refund.id, clientId: '' },
  });
  expect(byPayer?.payment?.decision?.checks.map(({ name }) => name)).toEqual(['balance']);
  expect(await seenBy(payee)).toMatchObject({
    payment: { reference: '', metadata: {}, decision: undefined, clientId: '' },
    refund: { clientId: 'cli_refund' },
  });
  for (const role of ['operator', 'auditor'] as const) {
    const event = await seenBy(newId('usr'), role);
    expect(event).toMatchObject({
      payment: { reference: 'order-4711', clientId: 'cli_payment' },
      refund: { clientId: 'cli_refund' },
    });
    expect(event?.payment?.decision?.checks.map(({ name }) => name)).toEqual(['balance', 'rule']);
  }
  await expect(seenBy(newId('usr'))).rejects.toMatchObject({ reason: 'EVENT_NOT_FOUND' });
  const stranger = await platform.as(newId('usr'));
  const { id, fromAccount, toAccount } = told.payment ?? { id: '', fromAccount: '', toAccount: '' };
  for (const filter of [
    {},
    { paymentId: id },
    { accountId: fromAccount },
    { accountId: toAccount },
    { types: ['payment.refunded'] },
  ]) {
    const { events } = await platform.client.listEvents({ ...ALL, ...filter }, stranger);
    expect(events, JSON.stringify(filter)).toEqual([]);
  }
});

it('hides a declined attempt from its receiver, and shows a message of an earlier version without what it lacks', async () => {
  const payer = newId('usr');
  const old = completed(payer, '', { type: PaymentEventType.FAILED, requesterId: '' });
  await platform.record(old);
  const { event } = await platform.client.getEvent({ eventId: old.id }, await platform.as(payer));
  expect(event).toMatchObject({
    type: 'payment.failed',
    payment: { reference: 'order-4711', decision: undefined },
  });
});

it('shows a declined collection to both sides: to the payee its own notes, and of the decision what is about the mandate', async () => {
  const [payer, payee] = [newId('usr'), newId('usr')];
  const told = completed(payer, payee, { type: PaymentEventType.FAILED, decision: decision() });
  const failure = { code: 'RULE_DECLINED', message: 'Ask for Mary.' };
  if (told.payment) Object.assign(told.payment, { mandateId: 'man_1', failure });
  await platform.record(told);
  const seenBy = async (...who: Parameters<TestNotification['as']>) =>
    (await platform.client.getEvent({ eventId: told.id }, await platform.as(...who))).event?.payment;

  const notes = { reference: 'order-4711', metadata: { order: '4711' } };
  const nothing = { reference: '', metadata: {} };
  const byPayee = await seenBy(payee);
  expect(byPayee).toMatchObject({
    ...notes,
    mandateId: 'man_1',
    failure: { code: 'RULE_DECLINED', message: 'A rule of the platform declines this payment.' },
  });
  expect(byPayee?.decision).toMatchObject({ checks: [], limit: undefined });
  const byPayer = await seenBy(payer);
  expect(byPayer).toMatchObject({ ...nothing, failure, payeeNotes: undefined });
  expect(byPayer?.decision?.checks.map(({ name }) => name)).toEqual(['balance']);
  expect(await seenBy(newId('usr'), 'auditor')).toMatchObject({ ...nothing, failure, payeeNotes: notes });
});

it('lists the newest first, by type, payment, account and time, with nothing twice or skipped while events are added', async () => {
  const user = newId('usr');
  const caller = await platform.as(user);
  const start = Date.now() - 60_000;
  const made = [];
  for (let count = 0; count < 12; count += 1) {
    const type = count % 2 === 0 ? PaymentEventType.COMPLETED : PaymentEventType.AUTHORIZED;
    const event = completed(count % 3 === 0 ? user : newId('usr'), user, {
      type,
      occurredAt: new Date(start + count),
    });
    if (event.payment && count === 5) event.payment.fromAccount = 'acct_special';
    made.push(event);
    await platform.record(event);
  }
  const newestFirst = made.map(({ id }) => id).toReversed();
  const idsOf = async (filter: object) =>
    (await platform.client.listEvents({ ...ALL, ...filter }, caller)).events.map(({ id }) => id);
  expect(await idsOf({})).toEqual(newestFirst);
  expect(await idsOf({ types: ['payment.authorized', 'payment.failed'] })).toEqual(
    newestFirst.filter((_, index) => index % 2 === 0),
  );
  expect(await idsOf({ paymentId: made[3]?.payment?.id })).toEqual([made[3]?.id]);
  expect(await idsOf({ accountId: 'acct_special' })).toEqual([made[5]?.id]);
  // Of several filters, each must match.
  const special = { paymentId: made[5]?.payment?.id, accountId: 'acct_special' };
  expect(await idsOf({ ...special, types: ['payment.authorized'] })).toEqual([made[5]?.id]);
  expect(await idsOf({ ...special, types: ['payment.completed'] })).toEqual([]);
  expect(await idsOf({ ...special, paymentId: made[3]?.payment?.id })).toEqual([]);
  expect(await idsOf({ ...special, createdBefore: new Date(start + 5) })).toEqual([]);
  expect(await idsOf({ createdAfter: new Date(start + 4), createdBefore: new Date(start + 8) })).toEqual(
    made
      .slice(4, 8)
      .map(({ id }) => id)
      .toReversed(),
  );
  const paged: string[] = [];
  let pageToken = '';
  do {
    const page = await platform.client.listEvents({ ...ALL, pageSize: 5, pageToken }, caller);
    paged.push(...page.events.map(({ id }) => id));
    pageToken = page.nextPageToken;
    await platform.record(completed(user, newId('usr')));
  } while (pageToken !== '');
  expect(paged).toEqual(newestFirst);
  await expect(idsOf({ types: ['payment.unknown'] })).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
});

/** The row of an event, as the consumer stores it. */
function rowOf(event: PaymentEvent): EventRow {
  return {
    id: event.id,
    type: 'payment.completed',
    payment_id: event.payment?.id ?? null,
    sender_account_id: 'acct_a',
    receiver_account_id: 'acct_b',
    sender_owner_id: event.fromOwnerId,
    receiver_owner_id: event.toOwnerId,
    created_at: new Date(),
    content: Buffer.from(PaymentEvent.encode(event).finish()),
  };
}

it('a reader that follows misses no event whose transaction commits late', async () => {
  const user = newId('usr');
  const caller = await platform.as(user);
  const follow = (position: bigint) =>
    platform.client.followEvents({ afterEventId: '', position, types: [], waitMs: 0 }, caller);
  const { position: start } = await follow(0n);
  const [early, late] = [completed(user, newId('usr')), completed(user, newId('usr'))];
  const record = (trx: Transaction<Database>, event: PaymentEvent) =>
    recordEvents(trx, { notifications: [], events: [rowOf(event)] });
  const stored = Promise.withResolvers<void>();
  const mayCommit = Promise.withResolvers<void>();
  const first = inTransaction(platform.db, async (trx) => {
    await record(trx, early);
    stored.resolve();
    await mayCommit.promise;
  });
  await stored.promise;
  const session = Promise.withResolvers<number>();
  let isCommitted = false;
  const second = inTransaction(platform.db, async (trx) => {
    session.resolve(await sessionOf(trx));
    await record(trx, late);
  }).then(() => {
    isCommitted = true;
  });
  // The second transaction waits for the first, or commits before it.
  await Promise.race([untilBlocked(platform.db, session.promise), second]);
  const between = await follow(start);
  mayCommit.resolve();
  await Promise.all([first, second]);
  const after = await follow(between.position);
  const ids = [...between.events, ...after.events].map(({ id }) => id);
  expect([isCommitted, ids]).toEqual([true, [early.id, late.id]]);
});

it('a reader that waits gets every event once, in the order of the log, and resumes after any of them', async () => {
  const user = newId('usr');
  const caller = await platform.as(user);
  const follow = (afterEventId: string, position: bigint, waitMs: number) =>
    platform.client.followEvents({ afterEventId, position, types: [], waitMs }, caller);
  let { position } = await follow('', 0n, 0);
  const events = Array.from({ length: 120 }, () => completed(user, newId('usr')));
  const recording = Promise.all(events.map((event) => platform.record(event)));
  const seen: string[] = [];
  while (seen.length < events.length) {
    const step = await follow('', position, PATIENCE_MS / 10);
    position = step.position;
    seen.push(...step.events.map(({ id }) => id));
  }
  await recording;
  expect(seen.toSorted()).toEqual(events.map(({ id }) => id).toSorted());

  const after = await follow(seen[100] ?? '', 0n, 0);
  expect(after.events.map(({ id }) => id)).toEqual(seen.slice(101));
  const stranger = { afterEventId: seen[0] ?? '', position: 0n, types: [], waitMs: 0 };
  await expect(platform.client.followEvents(stranger, await platform.as(newId('usr')))).rejects.toMatchObject(
    {
      reason: 'EVENT_NOT_FOUND',
    },
  );
});

it('a reader that is behind gets the rest in parts, without a gap, and only what it may see and asked for', async () => {
  const user = newId('usr');
  const caller = await platform.as(user);
  const { position: start } = await platform.client.followEvents(
    { afterEventId: '', position: 0n, types: [], waitMs: 0 },
    caller,
  );
  // More than fit in one response, among events of others.
  const own = Array.from({ length: 130 }, (_, index) =>
    completed(user, newId('usr'), {
      type: index % 2 === 0 ? PaymentEventType.COMPLETED : PaymentEventType.AUTHORIZED,
    }),
  );
  await platform.record(...own.flatMap((event) => [event, completed(newId('usr'), newId('usr'))]));
  const readAll = async (types: string[], from: { afterEventId: string; position: bigint }) => {
    const ids: string[] = [];
    for (let next = from, left = 20; left > 0; left -= 1) {
      const step = await platform.client.followEvents({ ...next, types, waitMs: 0 }, caller);
      ids.push(...step.events.map(({ id }) => id));
      if (step.position === next.position) return ids;
      next = { afterEventId: '', position: step.position };
    }
    throw new Error('The log has no end.');
  };
  const idsOf = (events: typeof own) => events.map(({ id }) => id);
  expect(await readAll([], { afterEventId: '', position: start })).toEqual(idsOf(own));
  expect(await readAll([], { afterEventId: own[9]?.id ?? '', position: 0n })).toEqual(idsOf(own.slice(10)));
  expect(await readAll(['payment.authorized'], { afterEventId: '', position: start })).toEqual(
    idsOf(own.filter(({ type }) => type === PaymentEventType.AUTHORIZED)),
  );
});

it('readers that are far behind read one after the other, and those at the end wait for none of them', async () => {
  const { db } = platform;
  const watch = watchEvents(db, testLog);
  let running = 0;
  let most = 0;
  let turns = 0;
  const deps: FollowDeps = {
    ...{ db, waitForEvents: watch.waitForEvents },
    inTurn: (read) =>
      watch.inTurn(async () => {
        turns += 1;
        running += 1;
        most = Math.max(most, running);
        return read().finally(() => {
          running -= 1;
        });
      }),
  };
  const start = await newestPosition(db);
  await sql`
    insert into events (id, position, type, payment_id, sender_owner_id, created_at, content)
    select 'evt_behind_' || n, nextval('event_positions'), 'payment.completed', 'pay_behind', 'usr_other', now(), ''
    from generate_series(1, 1600) as n`.execute(db);
  const end = await newestPosition(db);
  const follow = (position: bigint, waitMs: number) =>
    followEvents(deps, {
      caller: { id: newId('usr'), roles: ['customer'] },
      ...{ afterEventId: '', position, types: [], waitMs },
    });
  const reached = await Promise.all(Array.from({ length: 6 }, () => follow(start, 3_000)));
  expect(new Set(reached.map(({ position }) => position))).toEqual(new Set([end]));
  // Of four parts, the first is read at once.
  expect([turns, most]).toEqual([6 * 3, 1]);
  expect(await follow(end, 100)).toEqual({ events: [], position: end });
  expect(turns).toBe(6 * 3);

  await expect(watch.inTurn(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await watch.inTurn(async () => 'next')).toBe('next');
  await watch.stop();
  await sql`delete from events where id like 'evt_behind_%'`.execute(db);
});

it('deletes events that are no longer kept, and no others', async () => {
  const user = newId('usr');
  const event = completed(user, newId('usr'));
  await platform.record(event);
  const purge = (laterMs: number) =>
    purgeEvents({
      db: platform.db,
      log: testLog,
      now: () => new Date(Date.now() + laterMs),
      retentionMs: 30_000,
    });
  const caller = await platform.as(user);
  await purge(0);
  await platform.client.getEvent({ eventId: event.id }, caller);
  while (await purge(60_000));
  await expect(platform.client.getEvent({ eventId: event.id }, caller)).rejects.toMatchObject({
    reason: 'EVENT_NOT_FOUND',
  });
});
