/**
 * Compares docs/integrators/errors.md with the catalogue of codes in the gateway, and the catalogue with the codes that are in use.
 * Prints differences, and fails if there are any. `--write` writes the page.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { root } from '../paths.ts';
import { type Catalogue, differences, type Reason, withoutLists, withTables } from './error-catalogue.ts';

const PAGE = join(root, 'docs/integrators/errors.md');

/** Files that list codes without using them, or that only tests use. */
const LISTS = /problem-codes\.ts|code-of-error\.ts|\/openapi\/|\.test\.ts|\.testing\.ts/;

const { PROBLEMS, DECLINES, REFUND_DECLINES } = await load('gateway/src/problems/problem-codes.ts');
const { BY_REASON, BY_GRPC_CODE, BY_FRAMEWORK_CODE, codeOfNeighbour } = await load(
  'gateway/src/problems/code-of-error.ts',
);
const declines = (await load('proto/src/declines.ts')).DECLINES;

const catalogue: Catalogue = {
  problems: PROBLEMS,
  declines,
  ofPayments: DECLINES,
  ofRefunds: REFUND_DECLINES,
  reasons: await reasons(),
};
const found = differences(catalogue, {
  gateway: sources('gateway/src/**/*.ts'),
  services: `${sources('{auth,payment,authorization,ledger,notification,analytics}/src/**/*.ts')}${sources('chassis/src/**/*.ts')}`,
  byReason: BY_REASON,
  byOther: [...Object.values(BY_GRPC_CODE), ...Object.values(BY_FRAMEWORK_CODE)] as string[],
});
const page = readFileSync(PAGE, 'utf8');
const wanted = withTables(page, catalogue);
if (process.argv.includes('--write')) writeFileSync(PAGE, wanted);
else if (page !== wanted) found.push('docs/integrators/errors.md is not what the catalogue says');
for (const finding of found) console.log(finding);
if (found.length > 0) process.exitCode = 1;

// biome-ignore lint/suspicious/noExplicitAny: the modules of other packages, which this package does not compile.
async function load(file: string): Promise<any> {
  return import(join(root, file));
}

function sources(pattern: string): string {
  const files = globSync(pattern, { cwd: root }).filter((file) => !LISTS.test(file));
  return files.map((file) => withoutLists(readFileSync(join(root, file), 'utf8'))).join('\n');
}

/** The reasons of all services, then those of any call. A service may have several tables. */
async function reasons(): Promise<Reason[]> {
  const tables = await Promise.all(globSync('*/src/**/rpc/errors.ts', { cwd: root }).sort().map(load));
  const ofServices = tables.flatMap((module) =>
    Object.values<Partial<Table>>(module).flatMap(({ domain, codes = {} }) =>
      domain ? Object.entries(codes).map((entry) => reason(domain, entry)) : [],
    ),
  );
  const { CALL_CODES } = await load('chassis/src/rpc/errors.ts');
  const ofCalls = Object.entries(CALL_CODES).map((entry) => reason('any', entry));
  return [...ofServices, ...ofCalls];
}

interface Table {
  domain: string;
  codes: Record<string, unknown>;
}

function reason(service: string, [name, code]: [string, unknown]): Reason {
  const problem = codeOfNeighbour({ reason: name, code });
  return { reason: name, service, code: status[code as status], problem };
}
