/**
 * Writes `gen/` from the gateway's OpenAPI document: the types of the API, and the operations that take an Idempotency-Key, have a body,
 * or are lists with pages. The gateway prints its document without being started.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

interface Parameter {
  in: string;
  name: string;
  required?: boolean;
}
type Operations = Record<string, { parameters?: Parameter[]; requestBody?: object }>;
interface Document {
  paths: Record<string, Operations>;
  components: {
    schemas: {
      Currency: { enum?: string[] };
      Problem: { properties: { code: { 'x-extensible-enum': string[] } } };
    };
  };
}

const HEADING = '/** Made by generate.ts from the OpenAPI document. Not to be edited. */\n';

const gateway = fileURLToPath(new URL('../gateway/', import.meta.url));
const printed = spawnSync(
  process.execPath,
  ['--conditions=payflowx-source', 'src/openapi/print-document.ts'],
  {
    cwd: gateway,
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  },
);
if (printed.status !== 0) {
  console.error('The gateway could not print its OpenAPI document; what it says stands above.');
  process.exit(1);
}
const document: Document = JSON.parse(printed.stdout.toString());
const keyed = takeKeys(document);
// Programs know their currencies only at run time, so the type is string instead of a union of 160.
delete document.components.schemas.Currency.enum;

// A field with a default can be omitted from a request, so it is not required.
const types = astToString(await openapiTS(JSON.stringify(document), { defaultNonNullable: false }));
const gen = new URL('gen/', import.meta.url);
mkdirSync(gen, { recursive: true });
writeFileSync(new URL('openapi.ts', gen), HEADING + types);
const withBody = routesWith(document, ({ requestBody }) => requestBody !== undefined);
const paged = routesWith(document, ({ parameters = [] }) => parameters.some(({ name }) => name === 'cursor'));
writeFileSync(
  new URL('routes.ts', gen),
  [
    HEADING,
    asSet('KEYED', keyed),
    asSet('WITH_BODY', withBody),
    asSet('PAGED', paged),
    routeType(document),
  ].join(''),
);

const codes = document.components.schemas.Problem.properties.code['x-extensible-enum'];
writeFileSync(
  new URL('known-code.ts', gen),
  `${HEADING}export type KnownCode =\n${codes.map((code) => `  | '${code}'`).join('\n')};\n`,
);

/** The type of all methods with their paths. Computed from the types of the paths, it is too complex for the compiler. */
function routeType(document: Document): string {
  const routes = routesWith(document, () => true);
  return `export type Route =\n${routes.map((route) => `  | '${route}'`).join('\n')};\n`;
}

function asSet(name: string, routes: readonly string[]): string {
  return `export const ${name}: ReadonlySet<string> = new Set(${JSON.stringify(routes, null, 2)});\n`;
}

/**
 * Lists the operations that take a key. The header becomes optional, because the client creates a key if the caller gives none.
 */
function takeKeys(document: Document): string[] {
  return routesWith(document, ({ parameters = [] }) => {
    const key = parameters.find((each) => each.in === 'header' && each.name === 'idempotency-key');
    if (key) key.required = false;
    return key !== undefined;
  });
}

/** Returns method and path of the operations that are chosen. */
function routesWith({ paths }: Document, isChosen: (operation: Operations[string]) => boolean): string[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => isChosen(operation))
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
}
