import { copyFile, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { migrate, openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, testLog } from '@payflowx/chassis/testing';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { MIGRATIONS } from './auth-server.ts';

/** The migrations as they were before the role admin existed. */
async function earlierMigrations(): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  const files = (await readdir(MIGRATIONS)).filter((file) => file < '0010');
  for (const file of files) await copyFile(join(fileURLToPath(MIGRATIONS), file), join(folder, file));
  return pathToFileURL(`${folder}/`);
}

it('the upgrade to the role admin takes no right from an operator, and records that it gave the role', async () => {
  const database = await createTestDatabase({ service: 'auth', migrations: await earlierMigrations() });
  const db = openDatabase({ url: database.migrateUrl, poolMax: 1 }, testLog);
  const users = [
    ['usr_1', ['customer', 'operator']],
    ['usr_2', ['auditor']],
  ] as const;
  for (const [id, roles] of users) {
    await sql`insert into users values (${id}, ${`name-${id}`}, '$argon2id$', ${roles}, now())`.execute(db);
  }

  await migrate({ url: database.migrateUrl, folder: MIGRATIONS }, testLog);

  const after = await sql`select id, roles from users order by id`.execute(db);
  expect(after.rows).toEqual([
    { id: 'usr_1', roles: ['customer', 'operator', 'admin'] },
    { id: 'usr_2', roles: ['auditor'] },
  ]);
  const records = await sql`select actor_id, action, subject_id, details from identity_audit_records`.execute(
    db,
  );
  expect(records.rows).toMatchObject([
    {
      actor_id: 'auth',
      action: 'user.updated',
      subject_id: 'usr_1',
      details: { roles: ['customer', 'operator', 'admin'] },
    },
  ]);
  await db.destroy();
  await database.drop();
});
