import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Type } from 'typebox';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readEnvironment } from './environment.ts';
import { secretSetting } from './secret-files.ts';

const schema = Type.Object({
  TOKEN: secretSetting(),
  KEY: secretSetting({ default: '' }),
  NAME: Type.String({ default: 'x' }),
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secret-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileWith(content: string, mode = 0o600): string {
  const path = join(folder, 'secret');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const read = (env: Record<string, string>) => readEnvironment(schema, env);

it('reads a secret from the environment or from a file, without the line break at the end of the file', () => {
  expect(read({ TOKEN: 'abc' }).TOKEN).toBe('abc');
  expect(read({ TOKEN_FILE: fileWith(' a b\n') }).TOKEN).toBe(' a b');
  expect(read({ TOKEN_FILE: fileWith('abc', 0o440), TOKEN: '' })).toEqual({
    TOKEN: 'abc',
    KEY: '',
    NAME: 'x',
  });
});

it('refuses a secret that is given twice', () => {
  expect(() => read({ TOKEN: 'abc', TOKEN_FILE: fileWith('abc') })).toThrow(
    'TOKEN and TOKEN_FILE are both set: keep one of them',
  );
});

it.each([0o604, 0o602, 0o620, 0o644, 0o666])(
  'refuses a file that other accounts can read or change: mode %o',
  (mode) => {
    expect(() => read({ TOKEN_FILE: fileWith('abc', mode) })).toThrow(
      /TOKEN_FILE .* has the mode 06\d\d, .*: use 0600/,
    );
  },
);

it('refuses a file of another account', (context) => {
  const path = fileWith('abc');
  if (process.getuid?.() !== 0) return context.skip();
  chownSync(path, 4711, 4711);
  expect(() => read({ TOKEN_FILE: path })).toThrow('belongs to another account');
});

it('reports a file that is missing or empty with all other problems, and never its content', () => {
  const missing = join(folder, 'none');
  const attempt = () => read({ TOKEN_FILE: missing, KEY_FILE: fileWith('\n') });
  expect(attempt).toThrow(`TOKEN_FILE ${missing} cannot be read: ENOENT`);
  expect(attempt).toThrow(/KEY_FILE .* is empty/);
  expect(attempt).not.toThrow('TOKEN is missing');
});

it('reads files for secrets only', () => {
  expect(read({ TOKEN: 'abc', NAME_FILE: fileWith('y') }).NAME).toBe('x');
});
