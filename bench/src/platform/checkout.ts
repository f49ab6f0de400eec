/** The platform of a checkout: its files, its processes, and starting it with other settings. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { say } from '../progress.ts';

export interface User {
  id: string;
  username: string;
  password: string;
}

export interface Checkout {
  readonly folder: string;
  /** The private folder of this checkout's platform, not in git. */
  readonly local: string;
  readonly gateway: string;
  readonly operator: User;
  readonly auditor: User;
  /** Superuser of the platform's Postgres. */
  readonly postgresUrl: string;
}

const run = promisify(execFile);
const STARTS = 3;

/** Throws if the platform was never started. */
export function openCheckout(folder: string): Checkout {
  const local = join(folder, '.local');
  const demo = readJson(join(local, 'demo.json')) as { gateway: string; users: User[] };
  const addresses = readJson(join(local, 'addresses.json')) as { postgres: string };
  const user = (username: string) => {
    const found = demo.users.find((each) => each.username === username);
    if (!found) throw new Error(`There is no user ${username} in ${local}/demo.json.`);
    return found;
  };
  return {
    folder,
    local,
    gateway: demo.gateway,
    operator: user('operator'),
    auditor: user('auditor'),
    postgresUrl: addresses.postgres,
  };
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new Error(`There is no ${path}. Start the platform first: make up`);
  }
}

/**
 * Starts missing processes, restarts those with other settings, and resolves when all are ready. Retries, because under load a
 * connection of another program may hold a service's port for a while.
 */
export async function startPlatform(
  { folder }: Pick<Checkout, 'folder'>,
  settings: Record<string, string>,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await infra(folder, ['up'], settings);
      return;
    } catch (error) {
      if (attempt === STARTS) throw error;
      say(`the platform did not start: ${(error as Error).message.split('\n')[0]}; once more`, '!');
    }
  }
}

/** Process ids under the supervisor, by name. Empty if nothing runs under it. */
export async function supervisedPids({ folder }: Pick<Checkout, 'folder'>): Promise<Map<string, number>> {
  const status = await infra(folder, ['status']);
  return new Map(
    status.split('\n').flatMap((line) => {
      const [, name, pid] = /(\S+)\s+RUNNING\s+pid (\d+)/.exec(line) ?? [];
      return name && pid ? [[name, Number(pid)] as const] : [];
    }),
  );
}

async function infra(folder: string, args: string[], settings: Record<string, string> = {}): Promise<string> {
  const command = ['--disable-warning=TimeoutNegativeWarning', join(folder, 'infra/src/cli.ts'), ...args];
  const env = { ...process.env, ...settings };
  try {
    return (await run(process.execPath, command, { cwd: folder, env })).stdout;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw stderr ? new Error(stderr) : error;
  }
}
