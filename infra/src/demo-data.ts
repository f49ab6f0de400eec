/** Creates the first users and the demo's accounts. A later run finds them and creates nothing. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from './failure.ts';
import { local, root } from './paths.ts';
import { withSecretFiles } from './secret-files.ts';
import type { Secrets } from './secrets.ts';
import type { Addresses } from './servers/start.ts';
import { operatorEnvironment, SOURCES } from './services.ts';
import type { Settings } from './settings.ts';

const USERS = [
  // One person with both roles, so that the demo needs only one. Elsewhere they belong to different users.
  { username: 'operator', roles: ['operator', 'admin'] },
  { username: 'auditor', roles: ['auditor'] },
  { username: 'alice', roles: ['customer'] },
  { username: 'bob', roles: ['customer'] },
];
const CURRENCY = 'EUR';

export interface DemoUser {
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly roles: readonly string[];
}

interface DemoAccount {
  readonly id: string;
  readonly owner_id: string;
  readonly currency: string;
}

/** The file with users and accounts that `make demo`, the tests and people read. */
export interface Demo {
  readonly gateway: string;
  readonly users: readonly DemoUser[];
  readonly accounts: readonly DemoAccount[];
}

export const DEMO_FILE = join(local, 'demo.json');

/** Creates users with auth's admin command, beside the running service. */
export async function ensureIdentities(
  settings: Settings,
  addresses: Addresses,
  secret: Secrets,
): Promise<DemoUser[]> {
  const users = USERS.map((user) => ({ ...user, password: secret(`users/${user.username}`) }));
  const env = {
    PATH: process.env.PATH,
    ...withSecretFiles('auth', operatorEnvironment('auth', settings, addresses, secret)),
  };
  const answer = await administer(JSON.stringify({ users }), env);
  const made: { users: { id: string; username: string }[] } = JSON.parse(answer);
  return users.map((user) => {
    const id = made.users.find(({ username }) => username === user.username)?.id;
    if (!id) throw new Failure(`auth did not create the user ${user.username}.`, 'See auth/src/admin.ts.');
    return { id, ...user };
  });
}

function administer(input: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SOURCES, 'src/admin.ts', 'ensure'], {
      cwd: join(root, 'auth'),
      env,
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (errors += chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else
        reject(
          new Failure(
            `auth's administration ended with ${code}:\n${errors}${output}`,
            'See the message above.',
          ),
        );
    });
    child.stdin.end(input);
  });
}

/** Opens an account for each customer through the public API, unless an earlier run did, and writes the demo file. */
export async function ensureDemo(gateway: string, users: readonly DemoUser[]): Promise<void> {
  const operator = users.find(({ roles }) => roles.includes('operator'));
  if (!operator) throw new Error('There is no operator among the demo users.');
  const token = await login(gateway, operator);
  const known = await readDemo();
  const accounts: DemoAccount[] = [];
  for (const { id: ownerId, username, roles } of users) {
    if (!roles.includes('customer')) continue;
    const earlier = known?.accounts.filter(({ owner_id }) => owner_id === ownerId) ?? [];
    const alive = await Promise.all(
      earlier.map(({ id }) => request(gateway, `/v1/accounts/${id}`, { token })),
    );
    if (earlier.length > 0 && alive.every(({ status }) => status === 200)) {
      accounts.push(...earlier);
      continue;
    }
    const body = { owner_id: ownerId, currency: CURRENCY, name: `${username}'s account` };
    const opened = await request(gateway, '/v1/accounts', { token, body });
    if (opened.status !== 201) throw refused('opening an account', opened);
    const { id, owner_id, currency } = opened.json as unknown as DemoAccount;
    accounts.push({ id, owner_id, currency });
  }
  await writeDemo({ gateway, users, accounts });
}

async function readDemo(): Promise<Demo | undefined> {
  return readFile(DEMO_FILE, 'utf8').then(
    (text) => JSON.parse(text),
    () => undefined,
  );
}

async function writeDemo(demo: Demo): Promise<void> {
  await writeFile(`${DEMO_FILE}.new`, `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 });
  await rename(`${DEMO_FILE}.new`, DEMO_FILE);
}

async function login(gateway: string, { username, password }: DemoUser): Promise<string> {
  const answer = await request(gateway, '/v1/auth/login', { body: { username, password } });
  if (answer.status !== 200) throw refused(`logging in as ${username}`, answer);
  return String(answer.json.access_token);
}

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

interface Options {
  readonly token?: string;
  readonly body?: object;
}

/** Retries with the same key while the gateway cannot serve it, because a starting platform is busy. */
async function request(gateway: string, path: string, options: Options): Promise<Answer> {
  const key = randomUUID();
  const deadline = performance.now() + 30_000;
  for (;;) {
    const answer = await requestOnce(gateway, path, options, key);
    if (![429, 503].includes(answer.status) || performance.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function requestOnce(gateway: string, path: string, options: Options, key: string): Promise<Answer> {
  const answer = await fetch(new URL(path, gateway), {
    method: options.body ? 'POST' : 'GET',
    headers: {
      ...(options.body && { 'content-type': 'application/json', 'idempotency-key': key }),
      ...(options.token && { authorization: `Bearer ${options.token}` }),
    },
    ...(options.body && { body: JSON.stringify(options.body) }),
    signal: AbortSignal.timeout(15_000),
  });
  return { status: answer.status, json: (await answer.json().catch(() => ({}))) as Record<string, unknown> };
}

function refused(doing: string, { status, json }: Answer): Failure {
  return new Failure(
    `${doing}: the gateway answered ${status} ${JSON.stringify(json)}`,
    'See .local/logs/gateway.log.',
  );
}
