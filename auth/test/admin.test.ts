import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import { PATIENCE_MS, type TestDatabase } from '@payflowx/chassis/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAdminCommand } from '../src/admin-command.ts';
import { type AuthServer, freshDatabase, PASSWORD, refusal, startAuth } from './auth-server.ts';

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

const environment = () => ({ ...process.env, POSTGRES_MIGRATE_URL: database.migrateUrl });
const asText = (input: unknown) => (typeof input === 'string' ? input : JSON.stringify(input));

/** Runs the command in this process: a process of its own takes longer to start than to run. */
function ensure(input: unknown) {
  return runAdminCommand({
    args: ['ensure'],
    readInput: async () => asText(input),
    env: environment(),
  });
}

/** Runs the command as infra does: another process, JSON in, JSON out. */
async function ensureInProcess(input: unknown) {
  const script = fileURLToPath(new URL('../src/admin.ts', import.meta.url));
  const child = spawn(process.execPath, [script, 'ensure'], { env: environment() });
  child.stdin.end(asText(input));
  const [stdout, stderr, exitCode] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on('close', resolve)),
  ]);
  return { stdout, stderr, exitCode };
}

async function outputOf(input: unknown): Promise<string> {
  const result = await ensure(input);
  if ('problem' in result) throw new Error('The command failed.', { cause: result.problem });
  return result.output;
}

/** Returns the audit records of the command so far. */
async function audited(): Promise<string[]> {
  const records = await auth.db
    .selectFrom('identity_audit_records')
    .select('action')
    .where('actor_id', '=', 'command')
    .orderBy('id')
    .execute();
  const actions = records.map(({ action }) => action);
  return actions;
}

const login = (password: string) => auth.client.login({ username: 'alice', password }, { deadlineMs });

describe('admin ensure', () => {
  it('creates what is missing, leaves the rest unchanged, and prints only the users', async () => {
    const wanted = {
      users: [{ username: 'alice', password: PASSWORD, roles: ['customer'] }],
    };
    const first = await ensureInProcess(wanted);
    expect(first).toMatchObject({ exitCode: 0 });
    const { users } = JSON.parse(first.stdout);
    expect(users).toEqual([{ id: expect.stringMatching(/^usr_/), username: 'alice', roles: ['customer'] }]);
    const { tokens } = await login(PASSWORD);

    expect(await outputOf(wanted)).toBe(first.stdout);
    expect(await audited()).toEqual(['user.created']);
    // No password changed, so the logins stay valid.
    await auth.client.refreshTokens(
      { refreshToken: tokens?.refreshToken ?? '', requestId: '' },
      { deadlineMs },
    );
  });

  it('corrects a password and roles, and ends the logins made with the old password', async () => {
    const { tokens } = await login(PASSWORD);
    const output = await outputOf({
      users: [{ username: 'alice', password: 'another good password', roles: ['auditor', 'customer'] }],
    });
    expect((await audited()).slice(1)).toEqual(['user.updated']);
    expect(JSON.parse(output).users[0].roles).toEqual(['auditor', 'customer']);
    expect(await refusal(login(PASSWORD))).toMatchObject({ code: status.UNAUTHENTICATED });
    const spent = auth.client.refreshTokens(
      { refreshToken: tokens?.refreshToken ?? '', requestId: '' },
      { deadlineMs },
    );
    expect(await refusal(spent)).toMatchObject({ reason: 'INVALID_REFRESH_TOKEN' });
    await login('another good password');
  });

  it('changes only the roles of a user without a password in the file, which separates duties', async () => {
    const { tokens } = await login('another good password');
    const alice = { username: 'alice', roles: ['operator'] };
    expect(JSON.parse(await outputOf({ users: [alice] })).users[0].roles).toEqual(['operator']);
    await auth.client.refreshTokens(
      { refreshToken: tokens?.refreshToken ?? '', requestId: '' },
      { deadlineMs },
    );
  });

  it.each([
    ['a new user without a password', { users: [{ username: 'bob', roles: ['admin'] }] }, 'needs a password'],
    ['broken JSON', '{"users": [{"password": "hush"', 'not JSON'],
    ['a misspelt field', { users: [{ username: 'bob', passwort: 'hush', roles: ['customer'] }] }, 'passwort'],
    [
      'a weak password',
      { users: [{ username: 'bob', password: 'hush', roles: ['customer'] }] },
      'bob: password',
    ],
  ])('reports %s and repeats no secret', async (_, input, expected) => {
    const result = await ensure(input);
    const problem = 'problem' in result ? result.problem : undefined;
    // A text: an Error would be printed with its stack.
    expect(problem).toBeTypeOf('string');
    expect(problem).toContain(expected);
    expect(problem).not.toContain('hush');
  });

  it('exits with an error as a process does, with nothing on stdout', async () => {
    const { stdout, stderr, exitCode } = await ensureInProcess('{"users": [{"password": "hush"');
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
    expect(stderr).toBe('The input on stdin is not JSON.\n');
  });
});
