import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MARK } from '../supervisor-config.ts';
import { secretsInOpenFiles, secretsOfProcesses } from './exposed-secrets.ts';

const secrets = { 'postgres/superuser': 'only/for-this-test+7c1' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'exposed-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('finds a secret or a private key in a file that others may read, and none in a private file', () => {
  mkdirSync(join(folder, 'deep'));
  const files = {
    'deep/open': 'password=only%2Ffor-this-test%2B7c1',
    key: '-----BEGIN PRIVATE KEY-----',
    harmless: 'nothing',
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o644); // for any umask
  }
  expect(secretsInOpenFiles(folder, secrets).sort()).toEqual([
    `${folder}/deep/open is open to other accounts and contains postgres/superuser`,
    `${folder}/key is open to other accounts and contains a private key`,
  ]);
  for (const name of Object.keys(files)) chmodSync(join(folder, name), 0o600);
  expect(secretsInOpenFiles(folder, secrets)).toEqual([]);
});

it('finds a secret in a command line, and in the environment of the platform’s processes', async () => {
  const value = secrets['postgres/superuser'];
  const environment = { PASSWORD: value, [MARK.name]: MARK.value };
  const children = [
    spawn(process.execPath, ['-e', 'process.stdin.resume()', value]),
    spawn(process.execPath, ['-e', 'process.stdin.resume()'], { env: environment }),
  ];
  try {
    await Promise.all(children.map((child) => once(child, 'spawn')));
    expect(secretsOfProcesses(secrets).sort()).toEqual([
      `the command line of ${children[0]?.pid} contains postgres/superuser`,
      `the environment of ${children[1]?.pid} contains postgres/superuser`,
    ]);
  } finally {
    for (const child of children) child.kill();
  }
});
