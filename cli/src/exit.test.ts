import { readFileSync } from 'node:fs';
import { PayFlowXError, ReceiptRefused } from '@payflowx/client';
import { CommanderError } from 'commander';
import { afterEach, expect, it, vi } from 'vitest';
import {
  BadResult,
  EXIT,
  EXIT_CODES_HELP,
  exitCodeOf,
  NotLoggedIn,
  describe as textOf,
  Unsettled,
  UsageError,
} from './exit.ts';
import { createProgram } from './program.ts';

afterEach(() => vi.restoreAllMocks());

const failure = (status: number, retryable = false) =>
  new PayFlowXError('CODE', 'said', { status, retryable, idempotencyKey: 'key-1' });

it.each([
  ['no answer', failure(0, true), true],
  ['a part that is down', failure(503, true), true],
  ['a request that is still in progress', failure(409, true), true],
  ['an error of the platform', failure(500), true],
  ['a login that ended between two attempts', failure(401), true],
  ['a declined payment', failure(402), false],
  ['a state that does not allow it', failure(409), false],
])('after %s, the key is printed: %s', (_, error, isPrinted) => {
  expect(textOf(error, true).includes('--key key-1')).toBe(isPrinted);
  expect(textOf(error, false)).not.toContain('--key');
});

it('every command that moves money takes --key', () => {
  const optionsOf = (group: string, name: string) =>
    createProgram()
      .commands.find((command) => command.name() === group)
      ?.commands.find((command) => command.name() === name)
      ?.options.map(({ long }) => long);
  for (const name of ['create', 'capture', 'cancel', 'refund'])
    expect(optionsOf('payments', name)).toContain('--key');
  for (const name of ['deposit', 'withdraw']) expect(optionsOf('accounts', name)).toContain('--key');
});

it('says which value of an option is wrong', async () => {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const args = ['accounts', 'update', 'acct_1', '--daily-count', 'abc'];
  const error = await createProgram()
    .parseAsync(args, { from: 'user' })
    .catch((thrown: unknown) => thrown);
  expect(exitCodeOf(error)).toBe(2);
  expect(written.join('')).toMatch(/--daily-count.*abc.*whole number/);
});

it.each<[number, unknown]>([
  [0, new CommanderError(0, 'commander.help', 'help')],
  [1, new Error('a mistake of this program')],
  [1, failure(500)],
  [2, new CommanderError(1, 'commander.unknownOption', 'unknown option')],
  [2, new UsageError('both options')],
  [2, failure(400)],
  [3, failure(401)],
  [3, new NotLoggedIn('log in')],
  [3, new PayFlowXError('LOGIN_TOO_OLD', 'said', { status: 403, problem: {} })],
  [4, failure(403)],
  [5, failure(404)],
  [6, failure(402)],
  [7, failure(409)],
  [7, failure(412)],
  [7, failure(422)],
  [8, failure(0)],
  [8, failure(429)],
  [8, failure(502)],
  [8, failure(503)],
  [8, failure(504)],
  [8, new Unsettled('prove again')],
  [9, new BadResult('broken')],
  [9, new ReceiptRefused('altered')],
])('exits with %i after %s', (code, error) => expect(exitCodeOf(error)).toBe(code));

it('documents every exit code in the README and in the help', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const documented = [...readme.matchAll(/^\| (\d+) \| /gm)].map(([, code]) => Number(code));
  const codes = Object.values(EXIT).toSorted((a, b) => a - b);
  expect(documented.toSorted((a, b) => a - b)).toEqual(codes);
  for (const code of codes) expect(EXIT_CODES_HELP).toMatch(new RegExp(`\\b${code} \\w`));
});
