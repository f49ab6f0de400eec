/** `make mutate`: measures the unit tests by mutation testing, one package after another. It needs no servers. */
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { root } from '../paths.ts';
import { show } from '../run.ts';
import { SOURCES } from '../services.ts';
import { MUTATED } from './mutation.ts';
import type { Tally } from './tally.ts';

const CONFIG = join(import.meta.dirname, 'mutation.ts');

/** Runs one package, or all of them. A package fails if its tests notice fewer changes than the threshold. */
export async function mutate(name?: string): Promise<Tally> {
  const folders = Object.keys(MUTATED);
  if (name !== undefined && !folders.includes(name)) {
    throw new Failure(`There is no mutation testing of '${name}'.`, `Choose one of: ${folders.join(', ')}.`);
  }
  const failures: string[] = [];
  const chosen = name === undefined ? folders : [name];
  for (const folder of chosen) {
    const env = { ...process.env, NODE_OPTIONS: SOURCES };
    const code = await show(['stryker', 'run', CONFIG], { cwd: join(root, folder), env });
    if (code !== 0) failures.push(`mutate: ${folder}`);
  }
  return { passed: chosen.length - failures.length, failures };
}
