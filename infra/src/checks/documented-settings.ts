/**
 * Compares the table of settings in each service's README with the schema that the service reads its environment by: every variable is
 * there, with its default. Its .env.example must name no other. Prints what differs, and fails if something does.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.ts';
import { SERVICE_NAMES } from '../services.ts';

interface Schema {
  properties: Record<string, { default?: unknown }>;
  required?: string[];
}

/** Their defaults follow from the machine and the process; the table says how. */
const COMPUTED = ['INSTANCE_ID', 'MAX_HEAP_BYTES'];

const findings: string[] = [];
for (const service of SERVICE_NAMES) {
  const { schema }: { schema: Schema } = await import(join(root, service, 'src/config.ts'));
  findings.push(...compare(service, schema));
}
for (const finding of findings) console.log(finding);
if (findings.length > 0) process.exitCode = 1;

function compare(service: string, schema: Schema): string[] {
  const documented = documentedDefaults(readFileSync(join(root, service, 'README.md'), 'utf8'));
  const inCode = Object.keys(schema.properties);
  const example = readFileSync(join(root, service, '.env.example'), 'utf8');
  const inExample = [...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name = '']) => name);
  return [
    ...inCode.flatMap((name) => {
      const said = documented.get(name);
      if (said === undefined) return `${service}/README.md: ${name} is not in the table of settings`;
      const wanted = defaultOf(schema, name);
      return COMPUTED.includes(name) || said === wanted
        ? []
        : `${service}/README.md: ${name} is ${wanted} in the code, not ${said}`;
    }),
    ...[...documented.keys()].flatMap((name) =>
      inCode.includes(name) ? [] : `${service}/README.md: ${name} is not read by the service`,
    ),
    ...inExample.flatMap((name) =>
      inCode.includes(name) ? [] : `${service}/.env.example: ${name} is not read by the service`,
    ),
  ];
}

function defaultOf({ properties, required = [] }: Schema, name: string): string {
  const value = properties[name]?.default;
  if (value === undefined) return required.includes(name) ? 'required' : 'none';
  return value === '' ? 'empty' : String(value);
}

/**
 * Of the table whose head begins with `| variable | default |`. A line may have several variables: with one default for all, or with one
 * for each, separated by commas. Text after a default explains it: `2592000 (30 days)`, `empty: no registry`.
 */
function documentedDefaults(readme: string): Map<string, string> {
  const [, table = ''] = readme.replaceAll('`', '').split(/^\| variable +\| default .*\n.*\n/m);
  const lines = table.split(/\n(?!\|)/, 1)[0]?.split('\n') ?? [];
  return new Map(
    lines.flatMap((line) => {
      const [, names = '', text = ''] = line.split(/ *\| */);
      const defaults = text.split(', ').map((each) => each.replace(/:? .*$/, ''));
      return names.split(', ').map((name, index) => [name, defaults[index] ?? defaults[0] ?? ''] as const);
    }),
  );
}
