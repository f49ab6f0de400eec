import { copyFile, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { migrate, openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, testLog } from '@payflowx/chassis/testing';
import { Parcel } from '@payflowx/proto/outbox';
import { sql } from 'kysely';
import { expect, it } from 'vitest';

const MIGRATIONS = new URL('../migrations/', import.meta.url);

/** The migrations as they were before one outbox row could hold many events. */
async function earlierMigrations(): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  const files = (await readdir(MIGRATIONS)).filter((file) => file < '0007');
  for (const file of files) await copyFile(join(fileURLToPath(MIGRATIONS), file), join(folder, file));
  return pathToFileURL(`${folder}/`);
}

it('events that waited in the old outbox table are published after the upgrade', async () => {
  const database = await createTestDatabase({ service: 'payment', migrations: await earlierMigrations() });
  const db = openDatabase({ url: database.migrateUrl, poolMax: 1 }, testLog);
  const events = ['payment.initiated', 'payment.completed'].map((type, n) => ({
    id: `evt_${n}`,
    type,
    source: '/payflowx/payment',
    time: new Date(Date.UTC(2026, 0, 31, 23, 59, 58, n * 7)),
    subject: 'pay_1',
    traceparent: n === 0 ? '' : '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    key: 'pay_1',
    payload: Buffer.alloc(n * 20_000, n),
  }));
  for (const { id, type, source, time, subject, traceparent, key, payload } of events) {
    const headers = {
      ce_source: source,
      ce_time: time.toISOString(),
      ce_subject: subject,
      ...(traceparent && { traceparent }),
    };
    await sql`
      insert into outbox (destination, message_id, key, type, headers, payload)
      values ('payment-events', ${id}, ${key}, ${type}, ${JSON.stringify(headers)}, ${payload})`.execute(db);
  }

  await migrate({ url: database.migrateUrl, folder: MIGRATIONS }, testLog);

  const { rows } = await sql<{ destination: string; event_count: number; keys: string[]; events: Buffer }>`
    select destination, event_count, keys, events from outbox order by id`.execute(db);
  expect(rows.map(({ destination, event_count, keys }) => [destination, event_count, keys])).toEqual(
    events.map(() => ['payment-events', 1, ['pay_1']]),
  );
  const carried = rows.flatMap((row) => Parcel.decode(row.events).events);
  expect(carried.map((event) => ({ ...event, payload: Buffer.from(event.payload) }))).toEqual(events);
  await db.destroy();
  await database.drop();
});
