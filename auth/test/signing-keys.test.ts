import { openDatabase } from '@payflowx/chassis/postgres';
import { PATIENCE_MS, type TestDatabase, testLog } from '@payflowx/chassis/testing';
import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { activeSigningKey, publicJwks } from '../src/app/signing-keys.ts';
import { makeSigningKey } from '../src/domain/signing-key.ts';
import type { Database } from '../src/store/database.ts';
import { asOwner, createUsers, freshDatabase, PASSWORD, SEALING_KEY, startAuth } from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
const now = () => new Date();
const databases: TestDatabase[] = [];
let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  databases.push(database);
});
afterAll(() => Promise.all(databases.map((each) => each.drop())));

async function withDb<T>(work: (db: ReturnType<typeof openDatabase<Database>>) => Promise<T>): Promise<T> {
  const db = openDatabase<Database>({ url: database.url, poolMax: 8 }, testLog);
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

describe('signing keys', () => {
  it('are created once, however many instances start at once on an empty database', async () => {
    await withDb(async (db) => {
      const opened = await Promise.all(
        Array.from({ length: 8 }, () => activeSigningKey({ db, now }, SEALING_KEY)()),
      );
      expect(new Set(opened.map(({ kid }) => kid)).size).toBe(1);
      expect(await publicJwks({ db, now })).toHaveLength(1);
    });
  });

  it('let two instances verify each other, and survive a restart', async () => {
    await createUsers(database);
    const [one, two] = await Promise.all([startAuth(database), startAuth(database)]);
    const { tokens } = await one.client.login({ username: 'customer', password: PASSWORD }, { deadlineMs });
    const accessToken = tokens?.accessToken;
    await two.client.getMe({}, { deadlineMs, accessToken });
    await Promise.all([one.stop(), two.stop()]);
    const restarted = await startAuth(database);
    const { user } = await restarted.client.getMe({}, { deadlineMs, accessToken });
    expect(user?.username).toBe('customer');
    await restarted.stop();
  });

  it('do not open with another sealing key, and the error says what to do', async () => {
    await withDb(async (db) => {
      await activeSigningKey({ db, now }, SEALING_KEY)();
      await expect(activeSigningKey({ db, now }, Buffer.alloc(32, 8))()).rejects.toThrow(
        /AUTH_SEALING_KEY does not open the signing key .* Add the key that it was sealed with/,
      );
    });
  });

  it('are published while a valid token may name them', async () => {
    await withDb(async (db) => {
      const { kid: active } = await activeSigningKey({ db, now }, SEALING_KEY)();
      const [next, retired, forgotten] = [0, 1, 2].map(() => makeSigningKey(SEALING_KEY));
      await asOwner(database, async (owner) => {
        const insert = (
          key: typeof next,
          times:
            | { state: 'next'; activates_at: Date }
            | { state: 'retired'; activated_at: Date; retired_at: Date },
        ) =>
          owner
            .insertInto('signing_keys')
            .values({
              kid: key?.kid ?? '',
              public_key: key?.publicKey ?? Buffer.alloc(0),
              sealed_private_key: times.state === 'next' ? (key?.sealedPrivateKey ?? null) : null,
              created_at: now(),
              ...times,
            })
            .execute();
        const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);
        await insert(next, { state: 'next', activates_at: ago(-900) });
        await insert(retired, { state: 'retired', activated_at: ago(900), retired_at: ago(350) });
        await insert(forgotten, { state: 'retired', activated_at: ago(900), retired_at: ago(361) });
      });
      const published = (await publicJwks({ db, now })).map(({ kid }) => kid);
      expect(published.toSorted()).toEqual([active, next?.kid, retired?.kid].toSorted());
    });
  });
});

describe('the serving role', () => {
  it.each([
    ['rename a user', `UPDATE users SET username = 'root'`],
    [
      'make an API client',
      `INSERT INTO api_clients VALUES ('svc_x', decode(repeat('00', 32), 'hex'), '{operator}', now())`,
    ],
    ['change the key that verifies', `UPDATE signing_keys SET public_key = sealed_private_key`],
    ['widen what an API client may do', `UPDATE user_api_clients SET scopes = '{payments:write}'`],
    ['change the audit log', `UPDATE identity_audit_records SET actor_id = 'usr_x'`],
    ['shorten the audit log', 'DELETE FROM identity_audit_records'],
    ['remove a user', 'DELETE FROM users'],
  ])('may not %s', async (_, statement) => {
    await withDb(async (db) => {
      await expect(sql.raw(statement).execute(db)).rejects.toThrow(/permission denied/);
    });
  });
});
