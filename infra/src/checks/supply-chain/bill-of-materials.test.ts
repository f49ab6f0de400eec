import { Validation } from '@cyclonedx/cyclonedx-library';
import { expect, it } from 'vitest';
import { root } from '../../paths.ts';
import { packagesWith } from '../packages.ts';
import { billOfMaterials, SPECIFICATION } from './bill-of-materials.ts';
import { type Lock, readLock } from './lock.ts';

const validator = new Validation.JsonStrictValidator(SPECIFICATION.version);

interface Bill {
  metadata: { component: { purl: string } };
  components: { 'bom-ref': string; purl: string; licenses?: object[]; hashes?: { content: string }[] }[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

it.each(packagesWith('package.json'))(
  'the bill of %s is valid CycloneDX, and the same each time',
  async (folder) => {
    const lock = readLock(root);
    const bill = billOfMaterials(lock, folder);
    expect(await validator.validate(bill)).toBeNull();
    expect(billOfMaterials(lock, folder)).toBe(bill);
  },
);

it('finds a bill that is not valid', async () => {
  const bill = JSON.parse(billOfMaterials(readLock(root), 'receipt'));
  expect(await validator.validate(JSON.stringify({ ...bill, bomFormat: 'x' }))).not.toBeNull();
});

it('has each runtime dependency with version, licence, hash and what it needs, and none of development', () => {
  const bill: Bill = JSON.parse(billOfMaterials(readLock(root), 'payment'));
  expect(bill.metadata.component.purl).toBe('pkg:npm/%40payflowx/payment@0.1.0');
  const urls = bill.components.map(({ purl }) => purl.replace(/@[\d.]+$/, ''));
  for (const name of ['%40payflowx/chassis', '%40grpc/grpc-js', 'pg', 'pino', 'kysely'])
    expect(urls).toContain(`pkg:npm/${name}`);
  for (const name of ['typescript', 'vitest', 'fast-check', 'fastify'])
    expect(urls).not.toContain(`pkg:npm/${name}`);
  for (const { purl, licenses, hashes } of bill.components) {
    expect(licenses, purl).toHaveLength(1);
    if (!purl.includes('%40payflowx')) expect(hashes?.[0]?.content, purl).toMatch(/^[0-9a-f]{128}$/);
  }
  const chassis = bill.dependencies.find(({ ref }) => ref === 'chassis');
  expect(chassis?.dependsOn).toEqual(expect.arrayContaining(['node_modules/pg', 'node_modules/pino']));
});

it('keeps two versions of one package apart', () => {
  const lock: Lock = {
    packages: {
      shop: { name: 'shop', version: '1.0.0', dependencies: { a: '1', b: '1' } },
      'node_modules/a': { version: '1.0.0', dependencies: { b: '2' } },
      'node_modules/b': { version: '1.0.0' },
      'node_modules/a/node_modules/b': { version: '2.0.0' },
    },
  };
  const { components }: Bill = JSON.parse(billOfMaterials(lock, 'shop'));
  expect(components.map(({ purl }) => purl).sort()).toEqual([
    'pkg:npm/a@1.0.0',
    'pkg:npm/b@1.0.0',
    'pkg:npm/b@2.0.0',
  ]);
});
