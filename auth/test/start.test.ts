import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { connectGrpc } from '@payflowx/chassis';
import {
  eventually,
  PATIENCE_MS,
  type TestDatabase,
  testCertificates,
  testPageTokenKey,
  testServers,
  testTlsEnvironment,
} from '@payflowx/chassis/testing';
import { AuthServiceClient } from '@payflowx/proto/auth';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asOwner, createUsers, freshDatabase, SEALING_KEY } from './auth-server.ts';

let database: TestDatabase;
const started: ChildProcess[] = [];
const queue = `test-identity-${randomUUID()}`;

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await database?.drop();
});

function startMain(sealingKey: Buffer) {
  const env = {
    PATH: process.env.PATH,
    NODE_OPTIONS: process.env.NODE_OPTIONS,
    GRPC_PORT: '0',
    ...testTlsEnvironment('auth'),
    POSTGRES_URL: database.url,
    RABBITMQ_URL: testServers.rabbit().url,
    RABBITMQ_CA_FILE: process.env.TEST_RABBITMQ_CA_FILE,
    IDENTITY_QUEUE: queue,
    AUTH_SEALING_KEY: sealingKey.toString('base64'),
    PAGE_TOKEN_KEY: testPageTokenKey.toString('base64'),
  };
  const script = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  return child;
}

async function portOf(child: ReturnType<typeof startMain>): Promise<number> {
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line);
    if (entry.msg === 'serving gRPC') return entry.port;
  }
  throw new Error('The process ended without serving.');
}

async function keyIdsAt(port: number): Promise<string[]> {
  const client = connectGrpc(AuthServiceClient, {
    target: `127.0.0.1:${port}`,
    certificates: testCertificates(),
  });
  const { keys } = await client.getJwks({}, { deadlineMs: PATIENCE_MS });
  client.close();
  return keys.map(({ kid }) => kid);
}

describe('the process', () => {
  it('starts twice at once on a new database, with one key, and stops cleanly', async () => {
    const instances = [startMain(SEALING_KEY), startMain(SEALING_KEY)];
    const ports = await Promise.all(instances.map(portOf));
    const [one, two] = await Promise.all(ports.map(keyIdsAt));
    expect(one).toHaveLength(1);
    expect(two).toEqual(one);
    for (const instance of instances) {
      instance.kill('SIGTERM');
      expect(await once(instance, 'exit')).toEqual([0, null]);
    }
  });

  it('deletes what has expired, and nothing else', async () => {
    await createUsers(database);
    await asOwner(database, async (db) => {
      for (const [n, expiry] of ['2026-01-01Z', '9999-01-01Z'].entries()) {
        const [hash, at] = [sql.lit(`\\x${`${n + 1}`.repeat(64)}`), sql.lit(expiry)];
        const user = sql`(select id from users where username = 'customer')`;
        for (const row of [
          sql`refresh_families (id, user_id, secret_hash, token_hash, created_at, expires_at)
            values (${sql.lit(`fam_${n}`)}, ${user}, ${hash}, ${hash}, now(), ${at})`,
          sql`login_challenges values (${hash}, ${user}, 'a hash', ${at})`,
          sql`login_throttles (key, failures, forgotten_at) values (${hash}, 1, ${at})`,
          sql`revocations (id, expires_at) values (${sql.lit(`fam_${n}`)}, ${at})`,
          sql`email_confirmations values (${sql.lit(`ecf_${n}`)}, ${user}, 'a@b.example', ${hash}, now(), ${at})`,
        ])
          await sql`insert into ${row}`.execute(db);
      }
      const rowsOf = async (table: string) =>
        (await sql<{ rows: bigint }>`select count(*) as rows from ${sql.table(table)}`.execute(db)).rows[0]
          ?.rows;
      const tables = ['refresh_families', 'login_challenges', 'login_throttles', 'revocations'].concat(
        'email_confirmations',
      );
      const left = async () => Promise.all(tables.map(rowsOf));
      expect(await left()).toEqual(tables.map(() => 2n));
      const child = startMain(SEALING_KEY);
      await portOf(child);
      await eventually(async () => expect(await left()).toEqual(tables.map(() => 1n)));
      child.kill('SIGTERM');
      await once(child, 'exit');
    });
  });

  it('does not start with another sealing key, and logs why', async () => {
    const child = startMain(Buffer.alloc(32, 9));
    const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(exitCode).toBe(1);
    expect(output).toContain('AUTH_SEALING_KEY does not open the signing key');
  });
});
