/** `npm audit` against a registry that gives recorded answers. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { capture } from '../../run.ts';
import { audit, vulnerabilityProblems } from './vulnerabilities.ts';

let folder: string;
let server: Server;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-'));
  await writeLock();
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  await rm(folder, { recursive: true });
});

/** The package needs an old lodash through another package, and an old minimist for development only. */
async function writeLock(): Promise<void> {
  const own = {
    name: 'shop',
    version: '1.0.0',
    dependencies: { direct: '1.0.0' },
    devDependencies: { minimist: '1.2.5' },
  };
  const packages = {
    '': own,
    'node_modules/direct': { version: '1.0.0', dependencies: { lodash: '4.17.20' } },
    'node_modules/lodash': { version: '4.17.20' },
    'node_modules/minimist': { version: '1.2.5', dev: true },
  };
  const lock = { name: 'shop', version: '1.0.0', lockfileVersion: 3, requires: true, packages };
  await writeFile(join(folder, 'package.json'), JSON.stringify(own));
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock));
}

async function registry(answer: RequestListener): Promise<string[]> {
  server = createServer(answer);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return optionsFor((server.address() as AddressInfo).port);
}

/** The cache of this machine must not answer. */
const optionsFor = (port: number) => [
  `--registry=http://127.0.0.1:${port}`,
  `--cache=${join(folder, 'cache')}`,
];

const LODASH = {
  id: 1106913,
  url: 'https://github.com/advisories/GHSA-35jh-r3h4-6jhm',
  title: 'Command Injection in lodash',
  severity: 'high',
  vulnerable_versions: '<4.17.21',
  cwe: ['CWE-77', 'CWE-94'],
  cvss: { score: 7.2, vectorString: 'CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H' },
};

const RECORDED: RequestListener = async (request, response) => {
  if (request.method !== 'POST') return response.writeHead(404).end('{}');
  const asked = JSON.parse(await text(request.pipe(createGunzip())));
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify('lodash' in asked ? { lodash: [LODASH] } : {}));
};

it('finds a known vulnerability of a package two levels below, once, and names version range and advisory', async () => {
  const result = await audit(folder, await registry(RECORDED));
  if (!('advisories' in result)) throw new Error(result.unknown);
  expect(vulnerabilityProblems(result.advisories, {})).toEqual([
    'lodash <4.17.21 (high): Command Injection in lodash, https://github.com/advisories/GHSA-35jh-r3h4-6jhm',
  ]);
});

it('accepts an advisory that does not concern us, and reports an acceptance that is not needed', async () => {
  const result = await audit(folder, await registry(RECORDED));
  if (!('advisories' in result)) throw new Error(result.unknown);
  const reason = 'We do not call template().';
  expect(vulnerabilityProblems(result.advisories, { 'GHSA-35jh-r3h4-6jhm': reason })).toEqual([]);
  expect(vulnerabilityProblems([], { 'GHSA-35jh-r3h4-6jhm': reason })).toEqual([
    'ACCEPTED_ADVISORIES has GHSA-35jh-r3h4-6jhm, which concerns no dependency',
  ]);
});

it('fails as a check for a known vulnerability, and is skipped if the registry cannot be asked', async () => {
  const script = join(import.meta.dirname, 'vulnerabilities.ts');
  const check = async (answer: RequestListener) =>
    capture([process.execPath, script, folder, ...(await registry(answer))]);
  const { code, output } = await check(RECORDED);
  expect({ code, lines: output.trim().split('\n') }).toEqual({
    code: 1,
    lines: [expect.stringContaining('GHSA-35jh-r3h4-6jhm')],
  });
  server.close();
  const skipped = await check((_, response) => response.writeHead(405).end());
  expect(skipped).toEqual({ code: 0, output: expect.stringMatching(/^skipped: .*405/) });
});

it('finds nothing if there is nothing', async () => {
  const nothing: RequestListener = (_, response) => response.end('{}');
  expect(await audit(folder, await registry(nothing))).toEqual({ advisories: [] });
});

it.each([404, 405, 500])('says why it does not know, if the registry answers %i', async (code) => {
  const options = await registry((_, response) => response.writeHead(code).end());
  expect(await audit(folder, options)).toEqual({ unknown: expect.stringContaining(String(code)) });
});

it('does not know it offline', async () => {
  const options = await registry(() => undefined);
  server.close();
  expect(await audit(folder, options)).toEqual({ unknown: expect.stringContaining('ECONNREFUSED') });
});

it('gives up on a registry that does not answer', async () => {
  const options = await registry(() => undefined);
  expect(await audit(folder, options, 3_000)).toEqual({ unknown: 'npm audit did not answer in time' });
});
