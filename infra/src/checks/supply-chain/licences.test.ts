import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../paths.ts';
import { capture } from '../../run.ts';
import { ALLOWED_LICENCES } from './allowed.ts';
import { licenceProblems } from './licences.ts';
import { type Lock, type Locked, ownFolders, readLock } from './lock.ts';

/** A package `shop` that needs `direct`, which needs `deep`. `tool` is only for development. */
function lockWith(more: Record<string, Locked>): Lock {
  return {
    packages: {
      shop: { version: '1.0.0', license: 'Apache-2.0', dependencies: { direct: '1.0.0' } },
      'node_modules/direct': { version: '1.0.0', license: 'MIT', dependencies: { deep: '^2.0.0' } },
      'node_modules/deep': { version: '2.0.0', license: 'ISC' },
      'node_modules/tool': { version: '3.0.0', license: 'GPL-3.0-only' },
      ...more,
    },
  };
}

const problems = (lock: Lock, byHand: Record<string, string> = {}) =>
  licenceProblems(lock, ['shop'], { allowed: ['MIT', 'ISC', 'Apache-2.0', 'MPL-2.0'], byHand });

it('accepts allowed licences, and licences of development', () => {
  expect(problems(lockWith({}))).toEqual([]);
});

it.each([
  ['GPL-3.0-only', 'has the licence GPL-3.0-only'],
  ['BUSL-1.1', 'has the licence BUSL-1.1'],
  ['MIT AND GPL-3.0-only', 'has the licence MIT AND GPL-3.0-only'],
  ['SEE LICENSE IN LICENSE.md', 'has the licence SEE LICENSE IN LICENSE.md'],
  ['UNLICENSED', 'has the licence UNLICENSED'],
  [undefined, 'names no licence'],
])('refuses a package two levels below with the licence %s', (license, problem) => {
  const deep = { version: '2.0.0', ...(license && { license }) };
  expect(problems(lockWith({ 'node_modules/deep': deep }))).toEqual([
    `deep@2.0.0 (node_modules/deep) ${problem}`,
  ]);
});

it.each(['MIT OR GPL-3.0-only', '(MIT AND Apache-2.0)', 'MIT OR (ISC AND GPL-2.0-only)'])(
  'accepts %s',
  (license) => {
    expect(problems(lockWith({ 'node_modules/deep': { version: '2.0.0', license } }))).toEqual([]);
  },
);

it('finds the version that Node would load, and follows links, optional and peer dependencies', () => {
  const lock = lockWith({
    'node_modules/direct': {
      version: '1.0.0',
      license: 'MIT',
      dependencies: { deep: '1' },
      optionalDependencies: { native: '1', absent: '1' },
      peerDependencies: { ours: '1' },
    },
    'node_modules/direct/node_modules/deep': { version: '1.0.0', license: 'GPL-2.0-only' },
    'node_modules/native': { version: '1.0.0', license: 'GPL-3.0-only' },
    'node_modules/ours': { resolved: 'ours', link: true },
    ours: { name: '@shop/ours', version: '1.0.0', license: 'AGPL-3.0-only' },
  });
  expect(problems(lock).sort()).toEqual([
    '@shop/ours@1.0.0 (ours) has the licence AGPL-3.0-only',
    'deep@1.0.0 (node_modules/direct/node_modules/deep) has the licence GPL-2.0-only',
    'native@1.0.0 (node_modules/native) has the licence GPL-3.0-only',
  ]);
});

it('takes a licence that was found by hand, and reports it once the package is gone', () => {
  const lock = lockWith({ 'node_modules/deep': { version: '2.0.0' } });
  expect(problems(lock, { 'deep@2.0.0': 'MIT' })).toEqual([]);
  expect(problems(lock, { 'deep@2.0.0': 'GPL-3.0-only' })).toHaveLength(1);
  expect(problems(lockWith({}), { 'gone@1.0.0': 'MIT' })).toEqual([
    'LICENCES_BY_HAND has gone@1.0.0, which is no dependency',
  ]);
});

it('sees the dependencies of this checkout', () => {
  const all = licenceProblems(readLock(root), ownFolders(readLock(root)), { allowed: [], byHand: {} });
  expect(all.length).toBeGreaterThan(200);
  expect(all.join('\n')).toMatch(/^fastify@.* \(node_modules\/fastify\) has the licence MIT$/m);
  expect(ALLOWED_LICENCES.filter((licence) => /GPL|BUSL|SSPL|Elastic/i.test(licence))).toEqual([]);
});

it('fails as a check for one bad licence, and names it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'licences-'));
  const check = async (lock: Lock) => {
    await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock));
    return capture([process.execPath, join(import.meta.dirname, 'licences.ts'), folder]);
  };
  expect(await check(lockWith({}))).toEqual({ code: 0, output: '' });
  const bad = lockWith({ 'node_modules/deep': { version: '2.0.0', license: 'GPL-3.0-only' } });
  expect(await check(bad)).toEqual({
    code: 1,
    output: 'deep@2.0.0 (node_modules/deep) has the licence GPL-3.0-only\n',
  });
  await rm(folder, { recursive: true });
});
