/** Runs all checks that do not need the platform. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { local, root } from '../paths.ts';
import { say } from '../progress.ts';
import { capture } from '../run.ts';
import { SOURCES } from '../services.ts';
import { packagesWith } from './packages.ts';
import { sideBySide } from './side-by-side.ts';
import { SKIPPED } from './skipped.ts';
import { type Tally, total } from './tally.ts';

interface Check {
  readonly name: string;
  readonly command: string[];
  readonly folder?: string;
  readonly remedy: string;
}

const BASELINE = 'proto/baseline.binpb';

/** Prints each check when it ends. A failed check prints its whole output. */
export async function check(): Promise<Tally> {
  return total(await sideBySide(2, checks(), run));
}

function checks(): Check[] {
  const breaking: Check = {
    name: 'contracts: breaking',
    // For a workspace of two modules, buf compares only images.
    command: ['sh', '-c', `buf build -o - | buf breaking -#format=binpb --against ${BASELINE}`],
    remedy: 'Add instead of changing; for a wanted break see CONTRIBUTING.md.',
  };
  return [
    { name: 'lint', command: ['biome', 'ci', '.'], remedy: 'npx biome check --write .' },
    {
      name: 'prose',
      command: ['node', 'infra/src/cli.ts', 'prose'],
      remedy: 'Each finding says what to write instead; make prose FOLDER=payment checks one folder.',
    },
    { name: 'contracts: lint', command: ['buf', 'lint'], remedy: 'Each finding names its line.' },
    {
      name: 'contracts: format',
      command: ['buf', 'format', '-d', '--exit-code'],
      remedy: 'npx buf format -w',
    },
    ...(existsSync(join(root, BASELINE)) ? [breaking] : []),
    {
      name: 'documented settings',
      command: [process.execPath, SOURCES, 'infra/src/checks/documented-settings.ts'],
      remedy: 'Mend the table in the README, or the default in src/config.ts.',
    },
    {
      name: 'documented limits',
      command: [process.execPath, 'infra/src/checks/documented-limits.ts'],
      remedy: 'Mend the page, or the constant.',
    },
    {
      name: 'documented errors',
      command: [process.execPath, SOURCES, 'infra/src/checks/documented-errors.ts'],
      remedy: `Mend the catalogue gateway/src/problems/problem-codes.ts, then: node ${SOURCES} infra/src/checks/documented-errors.ts --write`,
    },
    {
      name: 'documented scopes',
      command: [process.execPath, SOURCES, 'infra/src/checks/documented-scopes.ts'],
      remedy: `node ${SOURCES} infra/src/checks/documented-scopes.ts --write`,
    },
    {
      name: 'migrations',
      command: [process.execPath, 'infra/src/checks/migrations.ts'],
      remedy: 'Each finding links its rule; docs/operators/upgrades.md shows how to write the step.',
    },
    {
      name: 'licences of dependencies',
      command: [process.execPath, 'infra/src/checks/supply-chain/licences.ts'],
      remedy: 'Take another package, or extend infra/src/checks/supply-chain/allowed.ts with a reason.',
    },
    {
      name: 'known vulnerabilities',
      command: [process.execPath, 'infra/src/checks/supply-chain/vulnerabilities.ts'],
      remedy: 'Update the package; npm audit --omit=dev says to which version.',
    },
    ...packagesWith('tsconfig.json').map((folder) => ({
      name: `types: ${folder}`,
      // Only what changed since the last run is checked again.
      command: [
        'tsc',
        '--noEmit',
        '--customConditions',
        'payflowx-source',
        '--incremental',
        ...buildInfo(folder),
      ],
      folder,
      remedy: `cd ${folder} && npx tsc --noEmit --customConditions payflowx-source`,
    })),
  ];
}

const buildInfo = (folder: string) => ['--tsBuildInfoFile', join(local, `types/${folder}.json`)];

async function run({ name, command, folder = '.', remedy }: Check): Promise<Tally> {
  const { code, output } = await capture(command, { cwd: join(root, folder) });
  if (code === 0 && output.startsWith(SKIPPED)) {
    say('check', `${name}: ${output.trimEnd()}`);
    return { passed: 0, failures: [] };
  }
  if (code === 0) {
    say('check', name, '✓');
    return { passed: 1, failures: [] };
  }
  console.log(output.trimEnd());
  say('check', `${name}: ${remedy}`, '✗');
  return { passed: 0, failures: [`check: ${name}`] };
}
