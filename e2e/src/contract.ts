/**
 * Tests the running gateway against its OpenAPI document. Schemathesis generates valid and invalid requests, follows links, and
 * checks every response. By hand: `node src/contract.ts operator`, followed by options of `schemathesis run`.
 */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openAccount, people, readDemo, sessionOf } from './platform.ts';
import { pythonWith } from './python.ts';

const VERSION = '4.32.5';
const FOLDER = join(import.meta.dirname, '../contract');
/** The folders of its data and reports, one for each user. */
const SCRATCH = join(import.meta.dirname, '../../.local/contract');

export interface ContractRun {
  /** 0: no findings. */
  code: number;
  output: string;
  /** Number of requests sent. */
  cases: number;
}

/** Tests as one user of the demo, on two accounts of that user. `gateway` is the tested one. */
export async function testContract(
  username: string,
  options: readonly string[],
  gateway = readDemo().gateway,
): Promise<ContractRun> {
  const python = await pythonWith(`schemathesis-${VERSION}`, [
    '--requirement',
    join(FOLDER, 'requirements.txt'),
  ]);
  const env = await environmentFor(username);
  const config = ['--config-file', join(FOLDER, 'schemathesis.toml')];
  const target = new URL('/openapi.json', gateway).href;
  const command = [python, '-m', 'schemathesis.cli', ...config, 'run', target, ...options];
  const cwd = join(SCRATCH, username);
  await mkdir(cwd, { recursive: true });
  const { code, output } = await run(command, { env: { ...process.env, ...env }, cwd });
  return { code, output, cases: Number(/(\d+) generated/.exec(output)?.[1] ?? 0) };
}

const BALANCE = 1_000_000;

async function environmentFor(username: string): Promise<Record<string, string>> {
  const demo = readDemo();
  const { operator, alice, bob } = people(demo);
  const { user } = sessionOf(demo, username);
  const [own, other] = user.id === bob.user.id ? [bob, alice] : [alice, bob];
  const accounts = [
    await openAccount(operator, own.user, BALANCE),
    await openAccount(operator, other.user, BALANCE),
  ];
  return {
    SCHEMATHESIS_HOOKS: join(FOLDER, 'hooks.py'),
    PYTHONDONTWRITEBYTECODE: '1',
    CONTRACT_LOGIN_URL: new URL('/v1/auth/login', demo.gateway).href,
    CONTRACT_USERNAME: user.username,
    CONTRACT_PASSWORD: user.password,
    CONTRACT_ACCOUNTS: accounts.map(({ id }) => id).join(' '),
  };
}

function run(
  [program = '', ...rest]: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string },
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        output += data;
        if (import.meta.main) process.stdout.write(data);
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

if (import.meta.main) {
  const [username = 'operator', ...options] = process.argv.slice(2);
  process.exitCode = (await testContract(username, options)).code;
}
