/**
 * Compares docs/integrators/scopes.md with the OpenAPI document of the gateway and with the access tables of the services. Prints a
 * difference, and fails if there is one. `--write` writes the page.
 */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.ts';
import { SERVICE_NAMES, SOURCES } from '../services.ts';
import {
  type Document,
  operationsTable,
  type Rpc,
  rpcsTable,
  scopesTable,
  withTable,
} from './scope-tables.ts';

const PAGE = join(root, 'docs/integrators/scopes.md');

const printed = execFileSync(process.execPath, [SOURCES, 'src/openapi/print-document.ts'], {
  cwd: join(root, 'gateway'),
  encoding: 'utf8',
  maxBuffer: 32 * 1_048_576,
});
const document = JSON.parse(printed) as Document;
const page = readFileSync(PAGE, 'utf8');
const wanted = [
  ['scopes', scopesTable(document)],
  ['operations', operationsTable(document)],
  ['rpcs', rpcsTable(await scopedRpcs())],
].reduce((text, [name = '', table = '']) => withTable(text, name, table), page);
if (process.argv.includes('--write')) writeFileSync(PAGE, wanted);
else if (page !== wanted) {
  console.log('docs/integrators/scopes.md is not what the code says');
  process.exitCode = 1;
}

type Access = 'anyone' | readonly string[] | { roles?: readonly string[]; scope?: string };
type Methods = Record<string, { path: string }>;

/** A service has one access table for each of its contracts. A table belongs to the contract with the same methods. */
async function scopedRpcs(): Promise<Rpc[]> {
  const contracts = (await exportsOf('proto/src/*.ts')).filter(isContract);
  const tables = await exportsOf(`{${SERVICE_NAMES.join(',')}}/src/**/rpc/access.ts`);
  return tables.flatMap((table) => {
    const contract = contracts.find((each) => namesOf(each) === namesOf(table as object));
    if (!contract) throw new Error(`No contract has the methods ${namesOf(table as object)}.`);
    return Object.entries(table as Record<string, Access>).flatMap(([method, access]) => {
      if (typeof access === 'string' || !('scope' in access) || !access.scope) return [];
      const name = contract[method]?.path.split('.').at(-1) ?? '';
      return [{ name, scope: access.scope, roles: access.roles ?? [] }];
    });
  });
}

async function exportsOf(pattern: string): Promise<unknown[]> {
  const files = globSync(pattern, { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
  const modules = await Promise.all(files.sort().map((file) => import(join(root, file))));
  return modules.flatMap((module) => Object.values<unknown>(module));
}

function isContract(value: unknown): value is Methods {
  if (typeof value !== 'object' || value === null) return false;
  const methods = Object.values(value);
  return methods.length > 0 && methods.every((method) => typeof method?.path === 'string');
}

function namesOf(methods: object): string {
  return Object.keys(methods).sort().join(', ');
}
