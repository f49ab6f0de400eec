import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makePrivate } from './private-folders.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'private-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('makes new and old folders private, except that of PostgreSQL, which has another owner', async () => {
  for (const name of ['kafka', 'test', 'postgres']) {
    await mkdir(join(folder, name));
    await chmod(join(folder, name), 0o755); // for any umask
  }
  await makePrivate(folder);
  const modes = ['kafka', 'logs', 'rabbitmq', 'secrets', 'supervisor', 'test', 'tls', 'postgres'].map(
    async (name) => {
      const { mode } = await stat(join(folder, name));
      return `${name} ${(mode & 0o777).toString(8)}`;
    },
  );
  expect(await Promise.all(modes)).toEqual([
    ...['kafka 700', 'logs 700', 'rabbitmq 700', 'secrets 700', 'supervisor 700', 'test 700'],
    ...['tls 700', 'postgres 755'],
  ]);
});
