import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import { PATIENCE_MS, type TestDatabase } from '@payflowx/chassis/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AuthServer,
  CLIENT_SECRET,
  freshDatabase,
  PASSWORD,
  refusal,
  startAuth,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
let database: TestDatabase;
let auth: AuthServer;

beforeAll(async () => {
  database = await freshDatabase();
  auth = await startAuth(database);
});
afterAll(async () => {
  await auth?.stop();
  await database?.drop();
});

/** Runs the command as infra does: another process, JSON in, JSON out. */
async function ensure(input: unknown) {
  const script = fileURLToPath(new URL('../src/admin.ts', import.meta.url));
  const env = { ...process.env, POSTGRES_MIGRATE_URL: database.migrateUrl };
  const child = spawn(process.execPath, [script, 'ensure'], { env });
  child.stdin.end(typeof input === 'string' ? input : JSON.stringify(input));
  const [stdout, stderr, exitCode] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on('close', resolve)),
  ]);
  return { stdout, stderr, exitCode };
}

/** What the command has written down so far; what one run did, in one order. */
async function audited(): Promise<string[]> {
  const records = await auth.db
    .selectFrom('identity_audit_records')
    .select('action')
    .where('actor_id', '=', 'command')
    .orderBy('id')
    .execute();
  const actions = records.map(({ action }) => action);
  return [...actions.slice(0, 2).toSorted(), ...actions.slice(2).toSorted()];
}

const login = (password: string) => auth.client.login({ username: 'alice', password }, { deadlineMs });

describe('admin ensure', () => {
  it('makes what is missing, leaves what is right, and prints the users and nothing else', async () => {
    const wanted = {
      users: [{ username: 'alice', password: PASSWORD, roles: ['customer'] }],
      clients: [{ id: 'svc_ledger', secret: CLIENT_SECRET, roles: ['service'] }],
    };
    const first = await ensure(wanted);
    expect(first).toMatchObject({ exitCode: 0 });
    const { users } = JSON.parse(first.stdout);
    expect(users).toEqual([{ id: expect.stringMatching(/^usr_/), username: 'alice', roles: ['customer'] }]);
    const { tokens } = await login(PASSWORD);

    expect((await ensure(wanted)).stdout).toBe(first.stdout);
    expect(await audited()).toEqual(['client.created', 'user.created']);
    // Nothing had to be set right, so nobody was logged out.
    await auth.client.refreshTokens({ refreshToken: tokens?.refreshToken ?? '' }, { deadlineMs });
    await auth.client.loginClient({ clientId: 'svc_ledger', clientSecret: CLIENT_SECRET }, { deadlineMs });
  });

  it('sets a password, roles and a secret right, and ends the logins made with the old password', async () => {
    const { tokens } = await login(PASSWORD);
    const otherSecret = CLIENT_SECRET.replace('c2', 'x2');
    const { stdout } = await ensure({
      users: [{ username: 'alice', password: 'another good password', roles: ['auditor', 'customer'] }],
      clients: [{ id: 'svc_ledger', secret: otherSecret, roles: ['service'] }],
    });
    expect((await audited()).slice(2)).toEqual(['client.updated', 'user.updated']);
    expect(JSON.parse(stdout).users[0].roles).toEqual(['auditor', 'customer']);
    expect(await refusal(login(PASSWORD))).toMatchObject({ code: status.UNAUTHENTICATED });
    const spent = auth.client.refreshTokens({ refreshToken: tokens?.refreshToken ?? '' }, { deadlineMs });
    expect(await refusal(spent)).toMatchObject({ reason: 'INVALID_REFRESH_TOKEN' });
    await login('another good password');
    await auth.client.loginClient({ clientId: 'svc_ledger', clientSecret: otherSecret }, { deadlineMs });
  });

  it.each([
    ['broken JSON', '{"users": [{"password": "hush"', 'not JSON'],
    ['a misspelt field', { users: [{ username: 'bob', passwort: 'hush', roles: ['customer'] }] }, 'password'],
    [
      'a weak password',
      { users: [{ username: 'bob', password: 'hush', roles: ['customer'] }] },
      'bob: password',
    ],
    ['a weak secret', { clients: [{ id: 'svc_x', secret: 'hush', roles: ['service'] }] }, 'svc_x: '],
  ])('says what is wrong with %s and repeats no secret', async (_, input, expected) => {
    const { stdout, stderr, exitCode } = await ensure(input);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
    expect(stderr).toContain(expected);
    expect(stderr).not.toContain('hush');
    expect(stderr).not.toContain('    at ');
  });
});
