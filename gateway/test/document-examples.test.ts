/** Every schema, body and response of the document has an example, and every example is valid against its schema. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FORMATS } from '../src/schemas/formats.ts';
import { startPlatform } from './platform.ts';

interface Media {
  schema: object;
  example?: unknown;
  examples?: Record<string, { $ref: string }>;
}
interface Operation {
  operationId: string;
  requestBody?: { content: Record<string, Media> };
  responses: Record<
    string,
    { content?: Record<string, Media>; links?: Record<string, { operationId: string }> }
  >;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, { examples?: unknown[] }>;
    examples: Record<string, { value: { code: string } }>;
  };
}

let document: Document;
let operations: Operation[];
let ajv: Ajv2020;
let close: () => Promise<void>;

beforeAll(async () => {
  const platform = await startPlatform();
  close = platform.close;
  document = (await (await fetch(`${platform.url}/openapi.json`)).json()) as Document;
  operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  ajv = new Ajv2020({ strict: false, allErrors: true, formats: FORMATS });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  ajv.addSchema(document, 'openapi', undefined, false);
});
afterAll(() => close());

/** By the text of the schema: thousands of answers share a few, and compiling one takes milliseconds. */
const compiled = new Map<string, ValidateFunction>();

function compile(schema: object): ValidateFunction {
  const text = JSON.stringify(schema).replaceAll('"#/', '"openapi#/');
  const known = compiled.get(text) ?? ajv.compile(JSON.parse(text));
  compiled.set(text, known);
  return known;
}

function check(where: string, schema: object, example: unknown): void {
  const validate = compile(schema);
  expect(
    validate(example),
    `${where}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(example)}`,
  ).toBe(true);
}

function mediaOf({ requestBody, responses }: Operation): [string, Media][] {
  const contents = [requestBody, ...Object.values(responses)].map((part) => part?.content ?? {});
  return contents.flatMap((content) => Object.entries(content));
}

it('has an example of every schema, every body and every response', () => {
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    expect(schema.examples, name).toHaveLength(1);
    check(name, schema, schema.examples?.[0]);
  }
  for (const operation of operations) {
    for (const [type, { schema, example }] of mediaOf(operation)) {
      if (type === 'application/json') check(operation.operationId, schema, example);
    }
  }
});

it('has an example of every problem, under its code', () => {
  for (const operation of operations) {
    for (const [type, { schema, examples = {} }] of mediaOf(operation)) {
      if (type !== 'application/problem+json') continue;
      expect(Object.keys(examples), operation.operationId).not.toHaveLength(0);
      for (const [code, { $ref }] of Object.entries(examples)) {
        const example = document.components.examples[$ref.split('/').at(-1) ?? ''];
        expect(example?.value.code).toBe(code);
        check(`${operation.operationId} ${code}`, schema, example?.value);
      }
    }
  }
});

it('links only to operations that exist', () => {
  const known = operations.map(({ operationId }) => operationId);
  const linked = operations.flatMap(({ responses }) =>
    Object.values(responses).flatMap(({ links = {} }) => Object.values(links)),
  );
  expect(linked.length).toBeGreaterThan(50);
  expect(known).toEqual(expect.arrayContaining(linked.map(({ operationId }) => operationId)));
});
