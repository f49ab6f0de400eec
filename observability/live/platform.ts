/** The running platform, as the tests of alerts and traces break it and use it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { people } from '../../e2e/src/platform.ts';
import { allPids } from '../../e2e/src/processes.ts';
import { local } from '../../infra/src/paths.ts';

export const who = people();

/** The URL of an administrator, in one service's database. */
function databaseUrl(service: string): string {
  const settings = readFileSync(join(local, 'test.env'), 'utf8');
  const [, admin = ''] = settings.match(/^TEST_POSTGRES_ADMIN_URL='?([^'\n]+)'?$/m) ?? [];
  return Object.assign(new URL(admin), { pathname: `/payflowx_${service}` }).href;
}

export async function inDatabase(service: string, statement: string): Promise<void> {
  const end = await keepOpen(service, statement);
  await end();
}

/** Begins a transaction with this statement. Returns a function that commits it. */
export async function keepOpen(service: string, statement: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: databaseUrl(service) });
  await client.connect();
  await client.query('begin');
  await client.query(statement);
  return async () => {
    await client.query('commit');
    await client.end();
  };
}

/** Repeats the work until the returned function is called, `width` times side by side. Its failures are what some tests want. */
export function keepDoing(
  work: () => Promise<unknown>,
  { width = 2, pauseMs = 20 } = {},
): () => Promise<void> {
  let isOver = false;
  const loop = async () => {
    while (!isOver) {
      await work().catch(() => undefined);
      await pause(pauseMs);
    }
  };
  const loops = Promise.all(Array.from({ length: width }, loop));
  return async () => {
    isOver = true;
    await loops;
  };
}

/** The processes of all instances of a service. */
export async function pidsOf(service: string): Promise<number[]> {
  const all = Object.entries(await allPids());
  return all.filter(([name]) => name === service || name === `${service}-2`).map(([, pid]) => pid);
}
