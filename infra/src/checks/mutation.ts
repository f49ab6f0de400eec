/**
 * The configuration of StrykerJS for `make mutate`. Stryker changes one expression at a time and runs the unit tests. A change that no
 * test notices shows a missing test. It runs in the folder of one package, which it copies; no server is needed.
 */
import { basename, join } from 'node:path';
import { LEAST_NOTICED } from './mutation-score.ts';

interface Scope {
  /** The code that decides: about money, access, keys and pages. It runs without servers. */
  readonly mutate: readonly string[];
  /** The folder of the unit tests. */
  readonly tests?: string;
}

export const MUTATED: Readonly<Record<string, Scope>> = {
  payment: { mutate: ['src/domain/**', 'src/messages/**', 'src/app/fingerprint.ts'] },
  authorization: { mutate: ['src/domain/**', 'src/cel/**', 'src/app/decide-steps.ts'] },
  ledger: { mutate: ['src/domain/**', 'src/reconciliation/domain/**'] },
  receipt: { mutate: ['src/**', '!src/{index,command}.ts'], tests: 'test' },
  auth: { mutate: ['src/domain/**'] },
  notification: { mutate: ['src/domain/**'] },
  analytics: { mutate: ['src/domain/**'] },
  chassis: { mutate: ['src/errors.ts', 'src/sealing.ts', 'src/rpc/{access,paging,page-tokens}.ts'] },
  gateway: { mutate: ['src/access/**'] },
};

const { mutate, tests = 'src' } = MUTATED[basename(process.cwd())] ?? { mutate: [] };

process.env.MUTATION_TESTS = `${tests}/**/*.test.ts`;

export default {
  mutate: [...mutate, '!src/**/*.test.ts', '!src/**/*.testing.ts'],
  testRunner: 'vitest',
  // Vitest finds only some of the tests that are related to a file, so all unit tests of the package run.
  vitest: { configFile: join(import.meta.dirname, 'mutation-tests.ts'), related: false },
  plugins: ['@stryker-mutator/vitest-runner'],
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env.MUTATE_CONCURRENCY ?? 2),
  ignorePatterns: ['dist', 'gen', 'migrations', 'reports'],
  reporters: ['clear-text', 'json', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, skipFull: true },
  jsonReporter: { fileName: '../.local/mutation/'.concat(basename(process.cwd()), '.json') },
  tempDirName: '.stryker-tmp',
  // Stryker rewrites tsconfig.json by the compiler API of TypeScript 5. Without it, the file is copied as it is.
  tsconfigFile: 'none',
  // A busy machine is no reason to call a change noticed.
  timeoutMS: 20_000,
  // The line is drawn for each folder, in mutation-score.ts.
  thresholds: { high: 95, low: LEAST_NOTICED, break: null },
};
