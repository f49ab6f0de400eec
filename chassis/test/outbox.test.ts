import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cloudEventMessage, type EventMessage, type OutgoingEvent } from '../src/messaging/cloud-events.ts';
import { type Parcel, packParcel, unpackParcel } from '../src/messaging/parcel.ts';
import { RefusedError } from '../src/messaging/refused.ts';
import { inTransaction, openDatabase } from '../src/postgres/database.ts';
import { firstDeliveries } from '../src/postgres/inbox.ts';
import { insertOutbox, outboxFrom } from '../src/postgres/outbox.ts';
import { readOutboxBacklog } from '../src/postgres/outbox-backlog.ts';
import { redriveOutbox } from '../src/postgres/outbox-dead-letters.ts';
import {
  type OutboxRelay,
  type OutboxRelaySettings,
  startOutboxRelay,
} from '../src/postgres/outbox-relay.ts';
import { unnest } from '../src/postgres/unnest.ts';
import { createTestDatabase, eventually, type TestDatabase, testLog } from '../src/testing/index.ts';
import { event, unique } from './messages.ts';

let database: TestDatabase;
let db: Kysely<unknown>;
const relays: OutboxRelay[] = [];

beforeAll(async () => {
  const migrations = new URL('./messaging-migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'chassis', migrations });
  db = openDatabase({ url: database.url, poolMax: 8 }, testLog);
});
/** Relays as processes. One that is stopped by a signal and left behind would keep the suite from its end. */
const processes: ChildProcess[] = [];
afterEach(() => {
  for (const each of processes.splice(0)) each.kill('SIGKILL');
  return Promise.all(relays.splice(0).map((relay) => relay.stop()));
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

let destination: string;
beforeEach(() => {
  destination = unique('destination');
});

async function relayTo(
  take: (messages: EventMessage[]) => Promise<void>,
  settings: Partial<OutboxRelaySettings> = {},
): Promise<OutboxRelay> {
  const publish = async (parcels: Parcel[]) => take(parcels.flatMap(unpackParcel));
  const relay = await startOutboxRelay({ url: database.url, destination, publish, ...settings }, testLog);
  relays.push(relay);
  return relay;
}

const store = (...events: OutgoingEvent[]) =>
  inTransaction(db, (trx) =>
    insertOutbox(
      trx,
      events.map((each) => ({ destination, event: each })),
    ),
  );

const textsOf = (messages: EventMessage[]) => messages.map(({ payload }) => payload.toString());
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => String(from + n));

describe('the outbox relay', () => {
  it('publishes all events of a message in the order in which they were stored, and deletes them', async () => {
    const published: EventMessage[] = [];
    const sent = numbers(0, 1200).map((n) => event(n, `key-${n}`));
    await store(...sent.slice(0, 1000));
    const relay = await relayTo(async (messages) => void published.push(...messages));
    await store(...sent.slice(1000));
    await eventually(() => expect(published).toHaveLength(1200));
    expect(published).toEqual(sent.map(cloudEventMessage));
    await eventually(async () => expect(await relay.pending()).toBe(0n));
  });

  it('is woken by the commit', async () => {
    const published: EventMessage[] = [];
    // With this interval the relay never polls during the test.
    const relay = await relayTo(async (messages) => void published.push(...messages), { pollMs: 3_600_000 });
    await eventually(() => expect(relay.isActive()).toBe(true));
    for (let n = 0; n < 10; n += 1) {
      await store(event(String(n)));
      await eventually(() => expect(published).toHaveLength(n + 1));
    }
  });

  it('publishes an event that commits late, even if later ids are already published', async () => {
    const published: EventMessage[] = [];
    await relayTo(async (messages) => void published.push(...messages));
    await inTransaction(db, async (trx) => {
      await insertOutbox(trx, [{ destination, event: event('early id, late commit') }]);
      await store(event('late id, early commit'));
      await eventually(() => expect(textsOf(published)).toEqual(['late id, early commit']));
    });
    await eventually(() => expect(textsOf(published)).toContain('early id, late commit'));
  });

  it('publishes the events of a statement for its changed rows as one outbox row, or none', async () => {
    const published: EventMessage[] = [];
    const relay = await relayTo(async (messages) => void published.push(...messages));
    await eventually(() => expect(relay.isActive()).toBe(true));
    const sent = numbers(0, 50).map((n) => event(n, `key-${n}`));
    const rows = sent.map((each) => ({ key: each.key, event: packParcel([each]).bytes }));
    const announce = (condition: string) =>
      sql`
      with changed as (
        select * from ${unnest(rows, { key: 'text', event: 'bytea' })} as r where ${sql.raw(condition)}
      ), announced as (${outboxFrom(destination, sql`changed`)})
      select from changed`.execute(db);
    await announce('false');
    expect(await relay.pending()).toBe(0n);
    await announce('ordinality > 10');
    await eventually(() => expect(published).toEqual(sent.slice(10).map(cloudEventMessage)), { everyMs: 5 });
  });

  it('publishes every committed event, and no others', async () => {
    const published: EventMessage[] = [];
    await relayTo(async (messages) => void published.push(...messages));
    const broken = inTransaction(db, async (trx) => {
      await insertOutbox(trx, [{ destination, event: event('rolled back') }]);
      throw new Error('The change did not happen.');
    });
    await expect(broken).rejects.toThrow('did not happen');
    await store(event('committed'));
    await eventually(() => expect(textsOf(published)).toEqual(['committed']));
  });

  it('keeps messages and their order while the broker is unavailable', async () => {
    const published: EventMessage[] = [];
    let isAway = true;
    const relay = await relayTo(async (messages) => {
      if (isAway) throw new Error('The broker is away.');
      published.push(...messages);
    });
    await store(event('1'), event('2'));
    await store(event('3'));
    await eventually(async () => expect(await relay.pending()).toBe(3n));
    isAway = false;
    await eventually(() => expect(textsOf(published)).toEqual(['1', '2', '3']));
  });

  it('sets aside an event that the broker refuses for ever, publishes all others in order, and publishes it after a redrive', async () => {
    const published: EventMessage[] = [];
    let isStrict = true;
    const relay = await relayTo(async (messages) => {
      if (isStrict && messages.some(({ payload }) => payload.toString() === '42'))
        throw new RefusedError('The message is too large.');
      published.push(...messages);
    });
    const key = (n: string) => `key-${Number(n) % 7}`;
    await store(...numbers(0, 40).map((n) => event(n, key(n))));
    await store(...numbers(40, 60).map((n) => event(n, key(n))));
    await store(...numbers(60, 100).map((n) => event(n, key(n))));
    await eventually(() => expect(textsOf(published)).toContain('99'));
    // Parts that were published before the refused event was found are published again. Consumers skip them.
    const order = [...new Set(textsOf(published))];
    expect(order).toEqual(numbers(0, 100).filter((n) => n !== '42'));
    await eventually(async () => expect(await relay.pending()).toBe(0n));
    expect(await readOutboxBacklog(db, [destination])).toEqual([
      { destination, waitingCount: 0n, oldestAt: undefined, refusedCount: 1n },
    ]);

    isStrict = false;
    expect(await redriveOutbox({ url: database.url, destination }, testLog)).toBe(1);
    await eventually(() => expect(textsOf(published).at(-1)).toBe('42'));
    expect(await redriveOutbox({ url: database.url, destination }, testLog)).toBe(0);
  });

  it('sets aside a row that cannot be decoded, with its keys', async () => {
    const published: EventMessage[] = [];
    await sql`
      insert into outbox (destination, event_count, keys, events) values (${destination}, 2, '{a,b}', 'no parcel')`.execute(
      db,
    );
    await relayTo(async (messages) => void published.push(...messages));
    await store(event('next'));
    await eventually(() => expect(textsOf(published)).toEqual(['next']));
    const letters = sql`
      select event_count, keys, events, error from outbox_dead_letters where destination = ${destination}`;
    const expected = {
      event_count: 2,
      keys: ['a', 'b'],
      events: Buffer.from('no parcel'),
      error: 'RefusedError: The parcel cannot be decoded.',
    };
    // Both rows may be of one batch. It is published before the dead letter is committed.
    await eventually(async () => expect((await letters.execute(db)).rows).toEqual([expected]));
  });

  it('publishes once to a broker that takes longer than a session may be idle', {
    timeout: 60_000,
  }, async () => {
    const idleSessionMs = 2_000;
    const published: EventMessage[] = [];
    const publish = async (messages: EventMessage[]) => {
      published.push(...messages);
      await pause(3 * idleSessionMs);
    };
    await relayTo(publish, { pollMs: 100, idleSessionMs });
    await store(event('1'), event('2'));
    await eventually(() => expect(published).toHaveLength(2));
    // Not by `relay.pending()`, which sends a query on the relay's session.
    const rows = sql`select from outbox where destination = ${destination}`;
    await eventually(async () => expect((await rows.execute(db)).rows).toEqual([]), { withinMs: 20_000 });
    expect(textsOf(published)).toEqual(['1', '2']);
  });
});

describe('of two relays', () => {
  it('one is active; the other takes over when the first stops', async () => {
    const byFirst: EventMessage[] = [];
    const bySecond: EventMessage[] = [];
    const first = await relayTo(async (messages) => void byFirst.push(...messages));
    await eventually(() => expect(first.isActive()).toBe(true));
    const second = await relayTo(async (messages) => void bySecond.push(...messages));
    await store(...numbers(0, 20).map((n) => event(n)));
    await eventually(() => expect(textsOf(byFirst)).toEqual(numbers(0, 20)));
    expect([first.isActive(), second.isActive(), bySecond.length]).toEqual([true, false, 0]);

    await first.stop();
    await store(...numbers(20, 30).map((n) => event(n)));
    await eventually(() => expect(textsOf(bySecond)).toEqual(numbers(20, 30)));
    expect(byFirst).toHaveLength(20);
  });

  it('the other takes over when the active one hangs', { timeout: 90_000 }, async () => {
    const hung = runRelay('');
    await store(event('before'));
    await eventually(() => expect(hung.ids).toHaveLength(1), { withinMs: 20_000 });
    // A relay that hangs between publishing and deleting leaves its message to the other one.
    await eventually(async () =>
      expect(await readOutboxBacklog(db, [destination])).toMatchObject([{ waitingCount: 0n }]),
    );
    hung.process.kill('SIGSTOP');
    const published: EventMessage[] = [];
    await relayTo(async (messages) => void published.push(...messages));
    await store(event('after'));
    await eventually(() => expect(textsOf(published)).toEqual(['after']), { withinMs: 40_000 });
  });

  it('one continues after the database closes their connections', async () => {
    const published: EventMessage[] = [];
    const publish = async (messages: EventMessage[]) => void published.push(...messages);
    const both = [await relayTo(publish), await relayTo(publish)];
    await eventually(() => expect(both.some((relay) => relay.isActive())).toBe(true));
    const admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    const { rowCount } = await admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1',
      [`outbox relay ${destination}`],
    );
    await admin.end();
    expect(rowCount).toBe(2);
    await store(event('after'));
    await eventually(() => expect(textsOf(published)).toEqual(['after']));
    expect(both.filter((relay) => relay.isActive())).toHaveLength(1);
  });
});

it('a relay that is killed between publishing and deleting repeats messages with the same id, and loses none', async () => {
  const faults = await mkdtemp(join(tmpdir(), 'faults-'));
  await writeFile(join(faults, 'outbox.after-publish'), '');
  const sent = numbers(0, 5).map((n) => event(n));
  await store(...sent);

  const killed = runRelay(faults);
  expect(await killed.exit).toBe('SIGKILL');
  expect(killed.ids).toEqual(sent.map(({ id }) => id));

  const restarted = runRelay(faults);
  await eventually(() => expect(restarted.ids).toEqual(sent.map(({ id }) => id)));
  restarted.process.kill('SIGTERM');
  await restarted.exit;

  // The effect happens once, also if both deliveries are in one batch.
  const delivered = [...killed.ids, ...restarted.ids];
  const effects = await inTransaction(db, (trx) => firstDeliveries(trx, delivered, (id) => id));
  expect(effects).toEqual(sent.map(({ id }) => id));
  expect(await inTransaction(db, (trx) => firstDeliveries(trx, delivered, (id) => id))).toEqual([]);
});

/** A relay in its own process. It prints the id of every message that it publishes. */
function runRelay(faultsDir: string) {
  const program = new URL('./relay-process.ts', import.meta.url).pathname;
  const env = {
    ...process.env,
    RELAY_URL: database.url,
    RELAY_DESTINATION: destination,
    FAULTS_DIR: faultsDir,
  };
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  processes.push(child);
  const ids: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => ids.push(...text.trim().split('\n')));
  const exit = new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)));
  return { process: child, ids, exit };
}
