import { unpackParcel } from '@payflowx/chassis';
import { inTransaction, startOutboxRelay, watchOutbox } from '@payflowx/chassis/postgres';
import { eventually, testLog } from '@payflowx/chassis/testing';
import { IdentityEvent } from '@payflowx/proto/auth';
import { sql, type Transaction } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { announceContacts } from '../src/app/announce-contacts.ts';
import { IDENTITY_DESTINATION } from '../src/messages/identity-event.ts';
import type { Database } from '../src/store/database.ts';
import { countUsers, findUser, saveUser } from '../src/store/users.ts';
import { type AuthWithUsers, startAuthWithUsers } from './auth-server.ts';

let auth: AuthWithUsers;
let ids: string[];
beforeAll(async () => {
  auth = await startAuthWithUsers();
  const { rows } = await sql<{ id: string }>`
    update users set email = username || '@example.org', email_verified = true, language = 'de', version = 7 returning id`.execute(
    auth.db,
  );
  ids = rows.map(({ id }) => id).sort();
});
beforeEach(() => sql`delete from outbox`.execute(auth.db));
afterAll(() => auth?.stop());

const deps = () => ({ db: auth.db, log: testLog, now: () => new Date() });

/** The events in the outbox, in their order. No relay runs here. */
async function announced() {
  const { rows } = await sql<{ events: Buffer }>`
    select events from outbox where destination = ${IDENTITY_DESTINATION} order by id`.execute(auth.db);
  return rows
    .flatMap(({ events }) => unpackParcel({ bytes: events }))
    .map(({ payload }) => IdentityEvent.decode(payload));
}

it('announces every user once, with its address, language and version', async () => {
  expect(ids.length).toBeGreaterThan(2);
  expect(await announceContacts(deps(), 2)).toBe(ids.length);
  expect(await countUsers(auth.db)).toBe(ids.length);
  const events = await announced();
  expect(events.map(({ userId }) => userId)).toEqual(ids);
  for (const { userId, event } of events) {
    const user = await findUser(auth.db, userId);
    const contact = { email: user?.email ?? '', emailVerified: true, language: 'de', version: 7n };
    expect(event).toEqual({ $case: 'contactChanged', value: contact });
  }
});

/** Resolves when another session waits for a lock of this transaction, which is kept from being idle for too long. */
const untilOneWaits = (trx: Transaction<Database>) =>
  eventually(async () => {
    await sql`select`.execute(trx);
    const { rows } = await sql`select from pg_locks as l where not granted and exists (
      select from pg_stat_activity as a where a.pid = l.pid and a.datname = current_database())`.execute(
      auth.db,
    );
    if (rows.length === 0) throw new Error('no session waits');
  });

it('waits for a change of a user, so that the newest state is announced last', async () => {
  const [id = ''] = ids;
  const before = await findUser(auth.db, id);
  if (!before) throw new Error('no user');
  let announcing: Promise<number> | undefined;
  await inTransaction(auth.db, async (trx) => {
    await saveUser(trx, { ...before, language: 'en', version: 8n });
    announcing = announceContacts(deps());
    await untilOneWaits(trx);
  });
  await announcing;
  const [first] = await announced();
  expect(first).toMatchObject({ userId: id, event: { value: { language: 'en', version: 8n } } });
});

it('the health names events that wait in the outbox, until they are published', async () => {
  await announceContacts(deps());
  const settings = { db: auth.db, destinations: [IDENTITY_DESTINATION], log: testLog };
  const watch = watchOutbox(settings, { everyMs: 20, tooLongMs: 0 });
  await eventually(() => expect(watch.problem()).toBe('events wait for identity-notifications'));
  const url = auth.database.url;
  const relay = await startOutboxRelay(
    { url, destination: IDENTITY_DESTINATION, publish: async () => {} },
    testLog,
  );
  await eventually(() => expect(watch.problem()).toBeUndefined());
  await Promise.all([watch.stop(), relay.stop()]);
});
