/** Runs the vitest suite of one package, counts its tests and names those that failed. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { local } from '../paths.ts';
import { say } from '../progress.ts';
import { capture } from '../run.ts';
import type { Tally } from './tally.ts';

/**
 * Runs the suite of a folder. The output is printed at once when the suite ends, so suites can run in parallel. A suite that takes many
 * minutes and runs alone prints each test when it ends: `isLive`.
 */
export async function runSuite(
  name: string,
  folder: string,
  env: NodeJS.ProcessEnv,
  options: readonly string[] = [],
  { isLive = false } = {},
): Promise<Tally> {
  const report = join(local, `test/${name}.json`);
  await mkdir(join(local, 'test'), { recursive: true });
  await rm(report, { force: true });
  const reporters = [
    `--reporter=${isLive ? 'verbose' : 'default'}`,
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const silence = endOnSilence(SILENT_MS);
  const { code, output } = await capture(
    ['vitest', 'run', '--configLoader=native', ...options, ...reporters],
    { cwd: folder, env, signal: silence.signal, killSignal: 'SIGKILL' },
    (text) => {
      silence.heard();
      if (isLive) process.stdout.write(text);
    },
  );
  silence.stop();
  const tally = await read(name, report, code);
  await writeFile(outputOf(name), output, { mode: 0o600 });
  if (!isLive) console.log(output.trimEnd());
  const failed = tally.failures.length;
  say('test', `${name}: ${tally.passed} passed, ${failed} failed`, failed === 0 ? '✓' : '✗');
  return tally;
}

/** Vitest waits without end for a process that a test has left behind with the output of its worker. */
const SILENT_MS = 10 * 60_000;

/** Its signal ends a program from which nothing was heard for this time. */
export function endOnSilence(limitMs: number) {
  const silent = new AbortController();
  const timer = setTimeout(() => {
    silent.abort(new Error(`Nothing was heard from it for ${limitMs / 60_000} minutes, so it was ended.`));
  }, limitMs);
  return { signal: silent.signal, heard: () => void timer.refresh(), stop: () => clearTimeout(timer) };
}

/** The file with the last output of a suite. */
export function outputOf(name: string): string {
  return join(local, `test/${name}.log`);
}

interface Report {
  numPassedTests?: number;
  testResults?: FileResult[];
}

interface FileResult {
  name: string;
  message: string;
  assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
}

/** Counts a run without a failed test as one failure if it failed, for example because a file cannot be loaded. */
async function read(name: string, report: string, code: number): Promise<Tally> {
  const text = await readFile(report, 'utf8').catch(() => '{}');
  const { numPassedTests = 0, testResults = [] }: Report = JSON.parse(text);
  const failures = failuresOf(testResults).map((failure) => `${name}: ${failure}`);
  if (code !== 0 && failures.length === 0) failures.push(`${name}: an error outside any test, see above`);
  return { passed: numPassedTests, failures };
}

/** Each with the first line of its error. A file whose hook failed, or that cannot be loaded, has no failed test. */
export function failuresOf(files: readonly FileResult[]): string[] {
  return files.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    if (failed.length > 0) {
      return failed.map(({ fullName, failureMessages }) => `${fullName}: ${firstLine(failureMessages[0])}`);
    }
    return message ? [`${basename(name)}: ${firstLine(message)}`] : [];
  });
}

function firstLine(message = ''): string {
  return message.split('\n', 1)[0] ?? '';
}
