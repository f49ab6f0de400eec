import { newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { testLog } from '@payflowx/chassis/testing';
import { Event, Parcel } from '@payflowx/proto/outbox';
import { CaptureBy, PaymentEvent } from '@payflowx/proto/payment';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { republishEvents, type Selection } from '../src/app/republish-events.ts';
import { DESTINATIONS } from '../src/messages/payment-event.ts';
import type { Database } from '../src/store/database.ts';
import { openMandate } from './collections.ts';
import { lifecycleOf } from './lifecycle.ts';
import { FUNDS, type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
/** May change what the serving role may not. */
let ownerDb: Kysely<Database>;
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
  ownerDb = openDatabase<Database>({ url: platform.adminUrl, poolMax: 1 }, testLog);
});
afterAll(async () => {
  await ownerDb?.destroy();
  await platform?.stop();
});

const ALL: Selection = { from: undefined, to: undefined, afterId: '' };

/** Empties the outbox. Returns its events, in the order of their rows. */
async function takeEvents(): Promise<{ destination: string; event: Event }[]> {
  const { rows } = await sql<{ destination: string; events: Buffer }>`
    with taken as (delete from outbox returning id, destination, events)
    select destination, events from taken order by id`.execute(platform.db);
  return rows.flatMap(({ destination, events }) =>
    Parcel.decode(events).events.map((event) => ({ destination, event })),
  );
}

/** Empties the outbox. Returns the bytes of its events in hex, by destination and id, sorted. */
async function takeOutbox(): Promise<string[]> {
  const lines = (await takeEvents()).map(({ destination, event }) => {
    const bytes = Buffer.from(Event.encode(event).finish()).toString('hex');
    return `${destination} ${event.id} ${event.type} ${bytes}`;
  });
  return lines.sort();
}

const republish = (selection: Selection, isReal = true, destinations: readonly string[] = DESTINATIONS) =>
  republishEvents(
    { db: platform.db, log: testLog, now: () => new Date() },
    { selection, destinations, eventsPerSecond: 100_000, isReal },
  );

/** Makes payments with every step and outcome. Returns the id of one that was captured in parts and refunded. */
async function useEveryStep(): Promise<string> {
  const { authorization, customer, otherCustomer, operator, accountOf } = platform;
  const texts = { description: 'é', reference: 'r', metadata: { 10: 'a', b: 'ü', 2: '' } };
  const plain = await life.pay(texts);
  const notes = { reference: 'return-17', metadata: { zz: '1', b: 'ü', 10: '3' } };
  await life.refund(plain.id, { amountMinor: 400n, reason: 'one', ...notes });
  await life.refund(plain.id, { amountMinor: 600n });

  expect((await life.pay({ amountMinor: FUNDS + 1n })).failure?.code).toBe('INSUFFICIENT_BALANCE');
  const own = { accountId: await accountOf(operator), amountMinor: 1n, currency: 'EUR', reference: '' };
  const refused = platform.client.createDeposit(
    { ...own, requestId: newId('req') },
    await life.callAs(operator),
  );
  await expect(refused).rejects.toMatchObject({ reason: 'OWN_ACCOUNT' });
  // A payer that does not exist: no user is notified.
  await expect(life.pay({ fromAccount: 'acct_missing' })).rejects.toThrow();

  const parts = await life.hold(texts);
  await life.capture(parts.id, { amountMinor: 300n });
  await life.refund(parts.id, { amountMinor: 100n, reason: 'early' });
  await life.capture(parts.id, { amountMinor: 500n, final: true });
  await life.refund(parts.id, { amountMinor: 100n });

  const byPayee = await life.hold({ captureBy: CaptureBy.PAYEE });
  await life.capture(byPayee.id, {}, { by: otherCustomer });
  await life.cancel((await life.hold()).id, { by: customer });
  await life.cancel((await life.hold()).id, { by: operator });
  const expiring = await life.hold({ holdSeconds: 30 });
  await life.capture(expiring.id, { amountMinor: 1n });
  await life.hold({ holdSeconds: 30 });
  authorization.setClockAhead(60_000);
  await platform.expire(60_000);
  authorization.setClockAhead(0);
  await life.hold();
  const { collect } = await openMandate(platform);
  await collect(texts);
  await collect({ ...texts, amountMinor: 2n * FUNDS });
  await expect(collect({ mandateId: newId('man') })).rejects.toMatchObject({ reason: 'MANDATE_NOT_FOUND' });
  return parts.id;
}

it('all events are published again with the same ids and the same bytes, and a dry run publishes none', async () => {
  await useEveryStep();
  const original = await takeOutbox();
  const types = new Set(original.map((line) => line.split(' ')[2]));
  expect(types.size).toBe(8);
  expect(await republish(ALL, false)).toMatchObject({ events: original.length, unreadable: 0 });
  expect(await takeOutbox()).toEqual([]);
  expect(await republish(ALL)).toMatchObject({ events: original.length, unreadable: 0 });
  expect(await takeOutbox()).toEqual(original);
});

it('a refund without an amount, stored by an earlier version, is published as one that named none', async () => {
  await sql`delete from outbox`.execute(platform.db);
  const { id } = await life.pay();
  await life.refund(id, { amountMinor: 100n });
  await life.refund(id, {});
  const original = await takeOutbox();
  await sql`update operations set takes_rest = false where payment_id = ${id}`.execute(ownerDb);
  await republish({ paymentIds: [id] });
  expect(await takeOutbox()).toEqual(original);
});

it('only the selected events are published: of some payments, of a time range, after a payment, for one destination', async () => {
  await life.pay();
  await life.refund((await life.pay()).id, { amountMinor: 5n });
  await takeOutbox();
  /** The published events, as destination and id, sorted. */
  const published = async (selection: Selection, destinations?: readonly string[]) => {
    const { events } = await republish(selection, true, destinations);
    const taken = (await takeEvents()).map(({ destination, event }) => ({ destination, event }));
    expect(events).toBe(taken.length);
    return taken.map(({ destination, event: { id, key, payload } }) => ({
      name: `${destination} ${id}`,
      destination,
      paymentId: key,
      at: PaymentEvent.decode(payload).occurredAt?.getTime() ?? 0,
    }));
  };
  const all = await published(ALL);
  const namesOf = (events: typeof all) => events.map(({ name }) => name).sort();
  const ids = [...new Set(all.map(({ paymentId }) => paymentId))].sort();
  expect(ids.length).toBeGreaterThan(1);

  const chosen = [ids[0] ?? '', ids.at(-1) ?? ''];
  expect(namesOf(await published({ paymentIds: chosen }))).toEqual(
    namesOf(all.filter(({ paymentId }) => chosen.includes(paymentId))),
  );
  // The beginning of a range belongs to it, and its end does not.
  const times = [...new Set(all.map(({ at }) => at))].sort((a, b) => a - b);
  for (const time of times.slice(-3)) {
    const bound = new Date(time);
    const before = await published({ ...ALL, to: bound });
    const from = await published({ ...ALL, from: bound });
    expect(namesOf(before)).toEqual(namesOf(all.filter(({ at }) => at < time)));
    expect(namesOf(from)).toEqual(namesOf(all.filter(({ at }) => at >= time)));
  }
  for (const afterId of [ids[0] ?? '', ids.at(-2) ?? '', ids.at(-1) ?? ''])
    expect(namesOf(await published({ ...ALL, afterId }))).toEqual(
      namesOf(all.filter(({ paymentId }) => paymentId > afterId)),
    );
  for (const destination of DESTINATIONS)
    expect(namesOf(await published(ALL, [destination]))).toEqual(
      namesOf(all.filter((event) => event.destination === destination)),
    );
});
