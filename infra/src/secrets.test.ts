import { mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { openSecrets } from './secrets.ts';

const newFile = () => join(mkdtempSync(join(tmpdir(), 'secrets-')), 'secrets.json');

it('returns the same secret for a name every time, and another for each name', () => {
  const file = newFile();
  const first = openSecrets(file)('postgres/superuser');
  const later = openSecrets(file);
  expect(later('postgres/superuser')).toBe(first);
  expect(later('rabbitmq/payflowx')).not.toBe(first);
});

it('generates keys of 32 bytes', () => {
  expect(Buffer.from(openSecrets(newFile())('key/auth-sealing'), 'base64')).toHaveLength(32);
});

it('lets only the owner read the file', () => {
  const file = newFile();
  openSecrets(file)('users/alice');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('makes no new secrets beside databases that need the lost ones', () => {
  const file = newFile();
  mkdirSync(join(dirname(file), 'postgres'));
  const secret = openSecrets(file);
  expect(() => secret('postgres/superuser')).toThrow('databases that need it');
});

it('refuses a damaged file, because new secrets would not match the data', () => {
  const file = newFile();
  writeFileSync(file, '{"users/alice": "half');
  expect(() => openSecrets(file)).toThrow();
});
