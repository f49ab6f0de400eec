/** The choice between containers and native servers, with engines that are scripts. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadSettings } from '../settings.ts';
import { findUsableContainers } from './containers.ts';

const settings = loadSettings({});
const secret = () => 'a secret of the test';
let said: string[] = [];

beforeEach(() => {
  said = [];
  vi.spyOn(console, 'log').mockImplementation((text) => said.push(text));
  vi.stubEnv('PAYFLOWX_CONTAINERS', '');
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Replaces the PATH by a folder with one engine. The script gets the command of the engine. */
async function onlyEngine(name: string, script: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'payflowx-engine-'));
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', folder);
}

it('uses an engine that has the images', async () => {
  await onlyEngine('docker', 'exit 0');
  expect(await findUsableContainers(settings, secret)).toBeDefined();
  expect(said).toEqual([]);
});

it('uses an engine that can pull the images', async () => {
  await onlyEngine('docker', '[ "$1" != image ]');
  expect(await findUsableContainers(settings, secret)).toBeDefined();
  expect(said.join('\n')).toContain('pulling postgres:');
});

it('runs the servers natively if the images cannot be pulled, and says why', async () => {
  const refusal = 'echo "lookup registry-1.docker.io: no such host" >&2; exit 125';
  await onlyEngine('podman', `case $1 in image) exit 1;; pull) ${refusal};; esac`);
  expect(await findUsableContainers(settings, secret)).toBeUndefined();
  expect(said.join('\n')).toMatch(/podman answers, but cannot pull postgres:\S+: lookup .*no such host/);
  expect(said.join('\n')).toContain('the servers run natively');
});

it('runs the servers natively if the engine has no compose, and says why', async () => {
  await onlyEngine('podman', '[ "$1" = info ]');
  expect(await findUsableContainers(settings, secret)).toBeUndefined();
  expect(said.join('\n')).toContain('podman answers, but has no `compose`');
});

it('says nothing of a client without an engine', async () => {
  await onlyEngine('docker', 'exit 1');
  expect(await findUsableContainers(settings, secret)).toBeUndefined();
  expect(said).toEqual([]);
});
