/** The OpenAPI 3.1 document, made from the schemas that validate and serialize. What every route shares is added here once. */
import swagger from '@fastify/swagger';
import { newId } from '@payflowx/chassis';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { BODY_LIMIT_BYTES } from './json-body.ts';
import { PROBLEM_TYPE, ProblemError, problemBody } from './problem.ts';
import { PROBLEMS, type ProblemCode } from './problem-codes.ts';
import { problem } from './schemas/answers.ts';
import { query } from './schemas/page.ts';

const TAGS = [
  { name: 'auth', description: 'Logging in, and the keys that tokens are verified with.' },
  { name: 'api-clients', description: 'Machines that log in by themselves and act for a user.' },
  { name: 'users', description: 'Who can log in.' },
  { name: 'accounts', description: 'What money moves between.' },
  { name: 'payments', description: 'Payments, deposits and withdrawals.' },
  { name: 'rules', description: 'What payments are decided by, besides balance and limits.' },
  { name: 'audit', description: 'Who did what.' },
  { name: 'ledger', description: 'The journal, and the proof that it adds up.' },
  { name: 'notifications', description: 'What both sides of a payment were told.' },
  { name: 'analytics', description: 'Aggregates, a moment behind.' },
  { name: 'health', description: 'For probes.' },
];

const HEADERS = {
  RequestId: header('Names this request: the caller’s own `x-request-id` if it sent a sane one.'),
  RetryAfter: { description: 'Seconds after which to try again.', schema: { type: 'integer', minimum: 0 } },
  WwwAuthenticate: header('`Bearer`.'),
  Location: header('Where the payment or account is.'),
  IdempotentReplayed: header('`true` on the first answer given again.'),
};

function header(description: string) {
  return { description, schema: { type: 'string' } };
}

export async function describeApi(app: FastifyInstance): Promise<void> {
  refuseUnknownQueries(app);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'PayFlowX',
        version: '1.0.0',
        description:
          'Moves money between accounts and can prove it. Amounts are integers of minor units. Unknown fields and query parameters are refused. Errors are problem details (RFC 9457).',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: TAGS,
      components: {
        securitySchemes: { access_token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
        headers: HEADERS as never,
      },
    },
    convertConstToEnum: false,
    refResolver: { buildLocalReference: (schema) => String(schema.$id) },
    transform: ({ schema, url, route }) => ({ schema: withSharedAnswers(schema ?? {}, route) as never, url }),
    transformObject: (input) => {
      const document = 'openapiObject' in input ? input.openapiObject : {};
      completeAnswers(document as unknown as Document);
      return document;
    },
  });
}

/** A route that names no query parameters takes none. */
function refuseUnknownQueries(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (route.schema && !('hide' in route.schema)) route.schema.querystring ??= query({});
  });
}

/** The refusals that follow from what a route is: whether it needs a caller, has a body, names something by id. */
function withSharedAnswers(schema: NonNullable<RouteOptions['schema']>, { config }: RouteOptions) {
  const open = config?.access === 'anyone';
  const roles = open ? '' : `Roles: ${(config?.access ?? []) as readonly string[]}.`.replaceAll(',', ', ');
  const shared = {
    400: problem('Malformed or invalid.'),
    ...(!open && { 401: problem('No access token, a bad one, or an expired one.') }),
    ...(!open && { 403: problem('The role may not do this.') }),
    ...(schema.params !== undefined && { 404: problem('Not there, or not yours.') }),
    ...(schema.body !== undefined && {
      404: problem('Something that the body names is not there, or not yours.'),
      408: problem('The body took too long to arrive.'),
      413: problem(`The body is over ${BODY_LIMIT_BYTES / 1024} KiB.`),
      415: problem('The content type is not application/json.'),
    }),
    429: problem('Too many requests.'),
    500: problem('Something went wrong on our side; `error_id` names it.'),
    503: problem('Overloaded, or a part is down: nothing was done.'),
    504: problem('No answer in time; safe to try again with the same Idempotency-Key.'),
  };
  return {
    ...schema,
    description: [schema.description, roles].filter(Boolean).join(' '),
    security: open ? [] : [{ access_token: [] }],
    response: { ...shared, ...(schema.response as object | undefined) },
  };
}

interface Document {
  paths: Record<string, Record<string, { summary?: string; responses: Record<string, Response> }>>;
}
interface Response {
  description: string;
  headers?: Record<string, { $ref: string }>;
  content?: Record<string, { example?: object }>;
}

/** Headers of each answer, and an example of each refusal. */
function completeAnswers({ paths }: Document): void {
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { summary, responses }] of Object.entries(operations)) {
      for (const [status, response] of Object.entries(responses)) {
        response.headers = headersOf(
          status,
          method === 'post' && /(payments|deposits|withdrawals)$/.test(path),
        );
        if (response.description === 'Default Response') response.description = summary ?? 'Done.';
        const refusal = response.content?.[PROBLEM_TYPE];
        // A declined payment's example would be a whole payment; its schema has one in parts.
        if (refusal && status !== '402') refusal.example = exampleOf(Number(status), path);
      }
    }
  }
}

function headersOf(status: string, createsPayment: boolean): Record<string, { $ref: string }> {
  const reference = (name: keyof typeof HEADERS) => ({ $ref: `#/components/headers/${name}` });
  return {
    'x-request-id': reference('RequestId'),
    ...(status === '401' && { 'www-authenticate': reference('WwwAuthenticate') }),
    ...(['202', '429', '503'].includes(status) && { 'retry-after': reference('RetryAfter') }),
    ...(createsPayment && ['201', '202', '402'].includes(status) && { location: reference('Location') }),
    ...(createsPayment &&
      ['201', '402'].includes(status) && { 'idempotent-replayed': reference('IdempotentReplayed') }),
  };
}

/** The first problem in the list with this status. */
function exampleOf(status: number, path: string): object | undefined {
  const codes = Object.keys(PROBLEMS) as ProblemCode[];
  const code = codes.find((name) => PROBLEMS[name].status === status);
  if (!code) return undefined;
  return problemBody(new ProblemError(code, `${PROBLEMS[code].title}.`), path, newId('req'));
}
