/** Runs other programs and waits for them. */
import { type SpawnOptions, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Failure } from './failure.ts';
import { logs } from './paths.ts';

export interface Outcome {
  code: number;
  output: string;
}

/**
 * Runs a program to its end. Returns its exit code and its whole output. Never rejects if the program fails. `onOutput` gets the output as
 * it comes.
 */
export function capture(
  command: string[],
  options: SpawnOptions = {},
  onOutput: (text: string) => void = () => {},
): Promise<Outcome> {
  const [file = '', ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        output += chunk;
        onOutput(String(chunk));
      });
    child.on('error', ({ message, cause }) => {
      // Ended by the signal of the options: the cause says why.
      const why = cause instanceof Error ? cause.message : message;
      resolve({ code: 127, output: `${output}${why}` });
    });
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Runs a program with its output on the terminal and returns its exit code. */
export function show(command: string[], options: SpawnOptions = {}): Promise<number> {
  const [file = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...options, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** Runs one step of the setup. The output goes to a log; a failure names the log and the remedy. */
export async function logged(name: string, command: string[], remedy: string, options: SpawnOptions = {}) {
  mkdirSync(logs, { recursive: true });
  const path = join(logs, `${name}.log`);
  const { code, output } = await capture(command, options);
  createWriteStream(path, { mode: 0o600 }).end(`$ ${command.join(' ')}\n${output}`);
  if (code === 0) return;
  const last = output.trimEnd().split('\n').slice(-5).join('\n    ');
  throw new Failure(`${command[0]} ended with ${code}:\n    ${last}`, `${remedy} The whole log: ${path}`);
}

/** The full path of a program on the PATH, or undefined. */
export async function which(program: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The end of a program's log, for an error message. */
export async function tail(path: string, lines = 8): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '(no log)');
  return text.trimEnd().split('\n').slice(-lines).join('\n    ');
}

/**
 * Calls `ask` until it succeeds. Returns undefined after the timeout. The interval is short, because people wait for readiness at
 * the terminal.
 */
export async function poll<T>(
  ask: () => Promise<T>,
  timeoutMs: number,
  everyMs = 100,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await ask();
    } catch {
      if (performance.now() > deadline) return undefined;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}
