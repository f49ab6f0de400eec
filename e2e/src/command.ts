/** Runs the command `payflowx` as a process, with a folder of its own for its files. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DemoUser } from './platform.ts';
import type { Body } from './rest.ts';

const COMMAND = new URL('../../cli/bin/payflowx', import.meta.url).pathname;

export interface Ran {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** The output, parsed. Only for `-o json`. */
  json(): Body;
}

export interface Running {
  /** Sends Ctrl-C to it. */
  interrupt(): void;
  ended: Promise<Ran>;
}

export interface Terminal {
  /** The folder of its contexts and logins. */
  home: string;
  run(...args: string[]): Promise<Ran>;
  /** With text on its standard input. */
  runWith(input: string, ...args: string[]): Promise<Ran>;
  /** Without waiting for its end. */
  start(env: Record<string, string>, ...args: string[]): Running;
  /** Removes its files, and with them its login. */
  close(): void;
}

export function openTerminal(): Terminal {
  const home = mkdtempSync(join(tmpdir(), 'payflowx-'));
  const runWith = (input: string, ...args: string[]) => runCommand(args, home, input);
  return {
    home,
    run: (...args) => runWith('', ...args),
    runWith,
    start: (env, ...args) => startCommand(args, home, '', env),
    close: () => rmSync(home, { recursive: true }),
  };
}

/** A terminal in which this user is logged in. */
export async function terminalOf(gateway: string, { username, password }: DemoUser): Promise<Terminal> {
  const terminal = openTerminal();
  const login = ['login', '--gateway', gateway, '--user', username, '--password-stdin'];
  const { exitCode, stderr } = await terminal.runWith(`${password}\n`, ...login);
  if (exitCode !== 0) throw new Error(`The login of ${username} failed: ${stderr}`);
  return terminal;
}

const runCommand = (args: string[], home: string, input: string) => startCommand(args, home, input).ended;

function startCommand(
  args: string[],
  home: string,
  input: string,
  more: Record<string, string> = {},
): Running {
  const { PAYFLOWX_GATEWAY: _, PAYFLOWX_CONTEXT: __, ...env } = process.env;
  const child = spawn(COMMAND, args, { env: { ...env, ...more, PAYFLOWX_HOME: home } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  // A command that fails early does not read its input.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const json = () => JSON.parse(stdout) as Body;
      resolve({ exitCode: code ?? -1, stdout, stderr, json });
    });
  });
  return { interrupt: () => void child.kill('SIGINT'), ended };
}
