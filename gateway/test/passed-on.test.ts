/**
 * Every id of a path, every key, every version and every field of a body reaches the service: in each operation of the document. The
 * service's errors about them have the names of the operation.
 */
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { invalidFields } from '../src/problems/validation-errors.ts';
import { account, DEAD_LETTER_ID } from './examples.ts';
import { DEFINITIONS, type Platform, Refusal, startPlatform } from './platform.ts';

interface Parameter {
  in: string;
  name: string;
  example?: string;
  schema: { $ref?: string };
}
interface Schema {
  $ref?: string;
  examples?: string[];
  properties?: Record<string, unknown>;
}
interface Operation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { example?: unknown; schema?: Schema }> };
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

let platform: Platform;
let document: Document;
let requests: string[];
/** The fields of these requests that have a value. */
let fields: { name: string; value: unknown }[];

beforeAll(async () => {
  platform = await startPlatform();
  document = (await (await fetch(`${platform.url}/openapi.json`)).json()) as Document;
  for (const [name, definition] of Object.entries(DEFINITIONS) as [keyof typeof DEFINITIONS, object][])
    for (const method of Object.keys(definition))
      if (method !== 'getJwks')
        platform.fakes[name][method] = (request: Record<string, unknown>) => {
          fields.push(
            ...Object.entries(request).map(([field, value]) => ({ name: nameOf(field, value), value })),
          );
          requests.push(
            JSON.stringify(request, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
          );
          // A change of an account reads it first.
          if (method === 'getAccount') return { account };
          throw new Refusal('RECORDED', status.INTERNAL);
        };
});
afterAll(() => platform.close());

const KEY = 'key-of-this-request';

/** Names that the services know by a number, and a key of which each item gets a part. Other tests cover them. */
const TRANSLATED: Record<string, string[]> = {
  createAccounts: [KEY],
  createPayment: ['manual'],
  createRule: ['decline'],
  createUser: ['customer'],
  redriveDeadLetters: ['UNDECODABLE'],
  simulatePayment: ['manual'],
  updateRule: ['decline'],
  updateUser: ['customer'],
  updateWebhookEndpoint: ['enabled'],
};

const VERSION = 7;

/** An id like the example of its schema, but a different one for each parameter. */
function idOf({ name, schema, example }: Parameter, index: number): string {
  const known = example ?? document.components.schemas[schema.$ref?.split('/').at(-1) ?? '']?.examples?.[0];
  if (known === undefined) throw new Error(`The parameter ${name} has no schema with an example.`);
  // An id of a dead letter names its source.
  return known
    .replace(/^dl_.*-/, DEAD_LETTER_ID.replace(/[^-]*$/, ''))
    .replace(/[0-9a-f]{12}$/, `${index}`.repeat(12));
}

function leavesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(leavesOf);
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
}

/** Sends the operation with the example of its body. Returns what must reach the service, and the requests that did. */
async function send(method: string, path: string, { parameters = [], requestBody }: Operation) {
  const ids = new Map(
    parameters.filter((each) => each.in === 'path').map((each, index) => [each.name, idOf(each, index + 1)]),
  );
  const headers = parameters.filter((each) => each.in === 'header').map(({ name }) => name.toLowerCase());
  const hasKey = headers.includes('idempotency-key');
  const hasVersion = headers.includes('if-match');
  const body = requestBody?.content['application/json']?.example;
  const caller = { id: 'usr_1', roles: ['customer', 'operator', 'auditor', 'admin'] as const };
  const token = await platform.identity.tokenFor({ ...caller, roles: [...caller.roles] });
  requests = [];
  fields = [];
  const answer = await fetch(platform.url + path.replace(/\{(\w+)\}/g, (_, name) => ids.get(name) ?? ''), {
    method: method.toUpperCase(),
    headers: {
      authorization: `Bearer ${token}`,
      cookie: 'payflowx_session=refresh-token-of-the-browser',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(hasKey && { 'idempotency-key': KEY }),
      ...(hasVersion && { 'if-match': `"${VERSION}"` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const expected = [
    ...ids.values(),
    ...(hasKey ? [KEY] : []),
    ...(hasVersion ? [`${VERSION}`] : []),
    ...leavesOf(body),
  ];
  return { expected, ids: [...ids.values()], answer: `${answer.status} ${text}` };
}

const snakeCase = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Services name a field of a message by its path. */
function nameOf(field: string, value: unknown): string {
  const isMessage = typeof value === 'object' && value?.constructor === Object;
  const first = isMessage && Object.entries(value).find(([, member]) => isGiven(member))?.[0];
  return snakeCase(first ? `${field}.${first}` : field);
}

/** The names of the inputs of an operation, by their place. */
function inputsOf({ parameters = [], requestBody }: Operation): Record<string, string[]> {
  const { schema = {} } = requestBody?.content['application/json'] ?? {};
  const { properties = {} } = document.components.schemas[schema.$ref?.split('/').at(-1) ?? ''] ?? schema;
  const named = (place: string) =>
    parameters.filter((each) => each.in === place).map(({ name }) => name.toLowerCase());
  return {
    body: Object.keys(properties),
    query: named('query'),
    header: named('header'),
    path: named('path'),
  };
}

const isGiven = (value: unknown) =>
  ![undefined, null, '', 0, false].includes(value as never) &&
  value !== 0n &&
  !(Array.isArray(value) && value.length === 0);

/** Fields that the gateway fills by itself. A client cannot send a wrong one. */
const FILLED: Record<string, string[]> = {
  ...{ login: ['client_address'], startBrowserSession: ['client_address'] },
  ...{ replaceOneTimePassword: ['client_address'] },
  // From the cookie.
  ...{ refreshBrowserSession: ['refresh_token'], endBrowserSession: ['refresh_token'] },
  ...{ disableUser: ['state'], enableUser: ['state'] },
  ...{ closeAccount: ['state'], freezeAccount: ['state'], unfreezeAccount: ['state'] },
  // Payments are sent in batches, whose items have results of their own.
  createAccounts: ['items'],
  createPayment: ['items', 'sent_at'],
};

it('with errors that name the fields as the operation does', async () => {
  const unknown: Record<string, string[]> = {};
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(operations)) {
      const { ids } = await send(method, path, operation);
      const inputs = inputsOf(operation);
      const place = method === 'get' ? 'query' : 'body';
      const wrong = fields
        .filter(({ value }) => isGiven(value) && !ids.includes(value as string))
        .filter(({ name }) => {
          const [error] = invalidFields({ violations: [{ field: name, description: '' }] }, place);
          return !inputs[error?.in ?? '']?.includes(error?.pointer.split('/')[1] ?? '');
        });
      if (wrong.length > 0) unknown[operation.operationId] = [...new Set(wrong.map(({ name }) => name))];
    }
  expect(unknown).toEqual(FILLED);
});

it('by every operation', async () => {
  const lost: Record<string, string[]> = {};
  const silent: string[] = [];
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(operations)) {
      const { expected, answer } = await send(method, path, operation);
      if (expected.length === 0) continue;
      if (requests.length === 0) silent.push(`${operation.operationId}: ${answer}`);
      const missing = expected.filter((value) => !requests.some((request) => request.includes(value)));
      if (missing.length > 0) lost[operation.operationId] = missing;
    }
  expect({ silent, lost }).toEqual({ silent: [], lost: TRANSLATED });
});
