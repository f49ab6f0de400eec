/** `make mutate`: measures the unit tests by mutation testing, one package after another. It needs no servers. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { local, root } from '../paths.ts';
import { show } from '../run.ts';
import { SOURCES } from '../services.ts';
import { MUTATED } from './mutation.ts';
import { isEnough, LEAST_NOTICED, percentOf, type Report, scoresOf } from './mutation-score.ts';
import type { Tally } from './tally.ts';

const CONFIG = join(import.meta.dirname, 'mutation.ts');

/** Runs one package, or all of them. A folder fails if the tests notice too few of the changes in it. */
export async function mutate(name?: string): Promise<Tally> {
  const packages = Object.keys(MUTATED);
  if (name !== undefined && !packages.includes(name)) {
    throw new Failure(`There is no mutation testing of '${name}'.`, `Choose one of: ${packages.join(', ')}.`);
  }
  const failures: string[] = [];
  const lines: string[] = [];
  let passed = 0;
  for (const each of name === undefined ? packages : [name]) {
    const env = { ...process.env, NODE_OPTIONS: SOURCES };
    const code = await show(['stryker', 'run', CONFIG], { cwd: join(root, each), env });
    if (code !== 0) {
      failures.push(`mutate: ${each} could not be measured`);
      continue;
    }
    const report: Report = JSON.parse(await readFile(join(local, 'mutation', `${each}.json`), 'utf8'));
    for (const score of scoresOf(report)) {
      const line = `${each}/${score.folder}: ${score.noticed} of ${score.changes} changes noticed, ${percentOf(score)} %`;
      lines.push(line);
      if (isEnough(score)) passed += 1;
      else failures.push(`${line} (at least ${LEAST_NOTICED} %)`);
    }
  }
  for (const line of lines) console.log(line);
  return { passed, failures };
}
