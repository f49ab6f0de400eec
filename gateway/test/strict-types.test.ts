/** No route converts a value to the type that its schema declares: a list is not taken for the text in it, nor 1 for true. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { type Platform, startPlatform } from './platform.ts';

interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  examples?: unknown[];
}
interface Operation {
  parameters?: { in: string; name: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema; example: unknown }> };
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

let platform: Platform;
let client: Client;
let document: Document;
let token: string;
beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
  document = client.document as unknown as Document;
  token = await platform.identity.tokenFor({
    id: 'usr_x',
    roles: ['customer', 'operator', 'auditor', 'admin'],
  });
});
afterAll(() => platform.close());

const VALUES: Record<string, unknown> = {
  string: 'x',
  integer: 1,
  number: 1.5,
  boolean: true,
  null: null,
  array: ['x'],
  object: { x: 'x' },
};

function resolved(schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1);
  return name ? resolved(document.components.schemas[name] as Schema) : schema;
}

/** The types of JSON that a schema allows. */
function typesOf(given: Schema): string[] {
  const { type, const: constant, enum: choices, anyOf, oneOf, allOf } = resolved(given);
  if (type !== undefined) return [type].flat();
  if (constant !== undefined) return [jsonTypeOf(constant)];
  if (choices) return choices.map(jsonTypeOf);
  const parts = anyOf ?? oneOf ?? allOf ?? [];
  return parts.flatMap(typesOf);
}

function jsonTypeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

interface Field {
  path: (string | number)[];
  schema: Schema;
  example: unknown;
}

/** All fields of an example, at any depth. Of a list, the first item. */
function fieldsOf(schema: Schema, example: unknown, path: Field['path'] = []): Field[] {
  const { properties = {}, additionalProperties, items } = resolved(schema);
  if (Array.isArray(example)) {
    if (!items || example.length === 0) return [];
    const first = { path: [...path, 0], schema: items, example: example[0] };
    return [first, ...fieldsOf(items, example[0], first.path)];
  }
  if (typeof example !== 'object' || example === null) return [];
  return Object.entries(example).flatMap(([name, value]) => {
    const member = properties[name] ?? additionalProperties;
    if (!member || typeof member !== 'object') return [];
    const field = { path: [...path, name], schema: member, example: value };
    return [field, ...fieldsOf(member, value, field.path)];
  });
}

/** A copy of the value with another one at a path. */
function withValue(value: unknown, [first, ...rest]: Field['path'], replacement: unknown): unknown {
  if (first === undefined) return replacement;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[first] = withValue(copy[first], rest, replacement);
  return copy;
}

/** The path with an example of each id. */
function realPath(path: string, { parameters = [] }: Operation): string {
  return parameters
    .filter(({ in: place }) => place === 'path')
    .reduce(
      (real, { name, schema }) => real.replace(`{${name}}`, String(resolved(schema).examples?.[0])),
      path,
    );
}

/** Values of every type that the field does not allow, and a list of one valid value. */
function wrongValues({ schema, example }: Field): unknown[] {
  const allowed = typesOf(schema);
  const isAllowed = (type: string) =>
    allowed.includes(type) || (type === 'integer' && allowed.includes('number'));
  const others = Object.entries(VALUES).filter(([type]) => !isAllowed(type));
  return [...others.map(([, value]) => value), ...(isAllowed('array') ? [] : [[example]])];
}

const headers = { 'if-match': '"1"' };

it('refuses each field of each body with a value of another type, and names it', async () => {
  let fields = 0;
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const media = operation.requestBody?.content['application/json'];
      if (!media) continue;
      const url = realPath(path, operation);
      for (const field of fieldsOf(media.schema, media.example)) {
        expect(typesOf(field.schema), `${method} ${path} ${field.path.join('/')}`).not.toEqual([]);
        fields += 1;
        const pointer = `/${field.path.join('/')}`;
        for (const value of wrongValues(field)) {
          const body = withValue(media.example, field.path, value);
          const answer = await client.call(method.toUpperCase(), url, { token, key: 'k', headers, body });
          const pointers = answer.body?.errors?.map((error: { pointer: string }) => error.pointer) ?? [];
          expect(
            [answer.status, ...pointers],
            `${method} ${url} ${pointer}=${JSON.stringify(value)}`,
          ).toEqual(expect.arrayContaining([400, expect.stringMatching(new RegExp(`^${pointer}(/|$)`))]));
        }
      }
    }
  }
  expect(fields).toBeGreaterThan(80);
});

it('refuses each query parameter that is given twice, and a number in another spelling', async () => {
  let parameters = 0;
  for (const [path, operations] of Object.entries(document.paths)) {
    const operation = operations.get;
    for (const { in: place, name, schema } of operation?.parameters ?? []) {
      if (place !== 'query') continue;
      parameters += 1;
      const url = realPath(path, operation as Operation);
      const types = typesOf(schema);
      const value = encodeURIComponent(
        String(resolved(schema).examples?.[0] ?? (types.includes('integer') ? 1 : 'x')),
      );
      const twice = types.includes('object')
        ? `${name}[a]=1&${name}[a]=2`
        : `${name}=${value}&${name}=${value}`;
      const spellings = types.includes('integer') ? [`${name}=1.0`, `${name}=0x1`, `${name}=%201`] : [];
      for (const query of [twice, ...spellings]) {
        const { status, body } = await client.call('GET', `${url}?${query}`, { token });
        expect([status, body?.errors?.[0]?.pointer], `${url}?${query}`).toEqual([
          400,
          expect.stringMatching(new RegExp(`^/${name}`)),
        ]);
      }
    }
  }
  expect(parameters).toBeGreaterThan(50);
});
