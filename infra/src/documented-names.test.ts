/** Looks up the names of docs/integrators/grpc.md in the contracts. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './paths.ts';

const page = readFileSync(join(root, 'docs/integrators/grpc.md'), 'utf8');
const contracts = globSync('proto/{payflowx,vendor}/**/*.proto', { cwd: root })
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n');

/** The last column of each table is that of gRPC. */
const names = [...page.matchAll(/^\|.*\| ([^|]*) \|$/gm)].flatMap(([, cell = '']) =>
  [...cell.matchAll(/`([A-Za-z_]+)`/g)].map(([, name = '']) => name),
);

it('every name in the column of gRPC is in the contracts', () => {
  expect(names.length).toBeGreaterThan(50);
  const words = new Set(contracts.match(/\w+/g));
  expect(names.filter((name) => !words.has(name))).toEqual([]);
});
