import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secretNames } from '@payflowx/chassis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root } from './paths.ts';
import { SECRET_SETTINGS, secretsHash, withSecretFiles } from './secret-files.ts';
import { SERVICE_NAMES } from './services.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secret-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('knows every secret setting of every service', async () => {
  const schemas = await Promise.all(
    SERVICE_NAMES.map((service) => import(join(root, service, 'src/config.ts'))),
  );
  const names = schemas.flatMap(({ schema }) => secretNames(schema));
  // Only operators' commands read it.
  expect([...new Set([...names, 'POSTGRES_MIGRATE_URL'])].sort()).toEqual([...SECRET_SETTINGS].sort());
});

it('gives the path of a private file instead of a secret, and leaves other settings', () => {
  const env = { POSTGRES_URL: 'postgres://x:y@z/d', LOG_LEVEL: 'info', RABBITMQ_URL: '' };
  const given = withSecretFiles('payment', env, folder);
  const path = join(folder, 'payment/POSTGRES_URL');
  expect(given).toEqual({ POSTGRES_URL_FILE: path, LOG_LEVEL: 'info', RABBITMQ_URL: '' });
  expect(readFileSync(path, 'utf8')).toBe(env.POSTGRES_URL);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  withSecretFiles('payment', { ...env, POSTGRES_URL: 'changed' }, folder);
  expect(readFileSync(path, 'utf8')).toBe('changed');
});

it('has another hash for another secret, and the same for other settings', () => {
  const hash = secretsHash({ POSTGRES_URL: 'a', LOG_LEVEL: 'info' });
  expect(secretsHash({ POSTGRES_URL: 'b', LOG_LEVEL: 'info' })).not.toBe(hash);
  expect(secretsHash({ POSTGRES_URL: 'a', LOG_LEVEL: 'debug' })).toBe(hash);
});
