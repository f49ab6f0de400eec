/**
 * Parts that responses share in the document: error responses that follow from the kind of a route, and headers that follow from
 * the kind of a response.
 */
import type { RouteOptions } from 'fastify';
import { ANSWER_WITHIN_MS } from '../http/deadline.ts';
import { BODY_LIMIT_BYTES } from '../http/json-body.ts';
import { hasRetryAfter, PROBLEM_TYPE } from '../problems/problem.ts';
import { PROBLEMS, type ProblemCode } from '../problems/problem-codes.ts';
import { describe, problem, type Refusals } from '../schemas/answers.ts';
import type { Operation, Response } from './document.ts';

type Shape = NonNullable<RouteOptions['schema']>;
type Properties = { properties?: Record<string, unknown>; required?: string[] };

/**
 * Adds the shared error responses to those of the route. They depend on whether the route needs a caller, has a body, or has an
 * id in its path.
 */
export function withSharedRefusals(schema: Shape, { config }: RouteOptions): Shape {
  const own = (schema.response ?? {}) as Record<string, Refusals>;
  const guarded = config?.access === 'anyone' ? {} : guardedBy(config ?? {});
  const shared = sharedCodes(schema, guarded);
  const details: Details = { ...DETAILS, 504: timeoutDetails(config?.deadlineMs ?? ANSWER_WITHIN_MS) };
  const refusals = Object.fromEntries(
    Object.entries(shared).map(([status, codes = []]) => [
      status,
      merged(own[status], codes, details[status]),
    ]),
  );
  return { ...schema, response: { ...own, ...refusals } };
}

function guardedBy({ recentLogin, setup }: NonNullable<RouteOptions['config']>): Codes {
  const codes: ProblemCode[] = ['ROLE_NOT_ALLOWED', 'INSUFFICIENT_SCOPE'];
  if (!setup) codes.push('SECOND_FACTOR_SETUP_REQUIRED');
  if (recentLogin) codes.push('LOGIN_TOO_OLD');
  return { 401: ['UNAUTHENTICATED'], 403: codes };
}

const NAMED: Codes = { 404: ['NOT_FOUND'] };
const WITH_BODY: Codes = {
  408: ['REQUEST_TIMEOUT'],
  413: ['BODY_TOO_LARGE'],
  415: ['UNSUPPORTED_MEDIA_TYPE'],
};

type Codes = Record<number, ProblemCode[] | undefined>;

function sharedCodes(schema: Shape, guarded: Codes): Codes {
  const headers = (schema.headers ?? {}) as Properties;
  const queries = (schema.querystring ?? {}) as Properties;
  const bad: ProblemCode[] = ['INVALID_REQUEST'];
  if (schema.body) bad.push('INVALID_JSON');
  if (queries.properties?.cursor) bad.push('INVALID_CURSOR');
  if (headers.required?.includes('idempotency-key')) bad.push('IDEMPOTENCY_KEY_REQUIRED');
  if (headers.properties?.['idempotency-key']) bad.push('IDEMPOTENCY_KEY_INVALID');
  return {
    400: bad,
    ...guarded,
    ...(schema.params === undefined ? {} : NAMED),
    ...(schema.body === undefined ? {} : WITH_BODY),
    429: ['TOO_MANY_REQUESTS'],
    500: ['INTERNAL'],
    503: ['OVERLOADED', 'UNAVAILABLE'],
    504: ['TIMEOUT'],
  };
}

type Details = Record<string, string>;

const DETAILS: Details = {
  413: `The body is over ${BODY_LIMIT_BYTES / 1024} KiB.`,
  500: 'Something went wrong on our side. `error_id` identifies the error.',
  503: '`OVERLOADED`: nothing was done. `UNAVAILABLE`: nothing was done, or the outcome is unknown because a connection broke. It is safe to retry with the same Idempotency-Key.',
};

function timeoutDetails(withinMs: number): string {
  return `There was no response within ${withinMs / 1000} s. It is safe to retry with the same Idempotency-Key.`;
}

function merged(own: Refusals | undefined, shared: readonly ProblemCode[], details?: string): unknown {
  if (!own) return problem(shared, details ?? describe(shared));
  const { codes } = own.content[PROBLEM_TYPE];
  const more = shared.filter((code) => !codes.includes(code));
  const all: Refusals = problem([...codes, ...more], [own.description, describe(more)].join(' '));
  // A response may also have a form for another media type.
  return { ...all, content: { ...own.content, ...all.content } };
}

const HEADERS = {
  RequestId: header('The id of this request: the caller’s own `x-request-id` if it sent a valid one.'),
  RetryAfter: { description: 'Seconds to wait before a retry.', schema: { type: 'integer', minimum: 0 } },
  RateLimit: header('`r`: requests that are left in the window. `t`: seconds until the window ends.'),
  RateLimitPolicy: header('`q`: requests in a window. `w`: seconds of a window.'),
  WwwAuthenticate: header('`Bearer`.'),
  Location: header('The path of the resource.'),
  IdempotentReplayed: header('`true` if this is a replay of the first response; absent otherwise.'),
  ETag: header('The version in quotes. Send it in If-Match to change the resource.'),
};

function header(description: string) {
  return { description, schema: { type: 'string' } };
}

export const HEADER_COMPONENTS = HEADERS;

const reference = (name: keyof typeof HEADERS) => ({ $ref: `#/components/headers/${name}` });

export function addHeaders(operation: Operation): void {
  for (const [status, response] of Object.entries(operation.responses)) {
    response.headers = headersOf(operation, status, response);
  }
}

function headersOf(
  { operationId, tags = [], parameters = [] }: Operation,
  status: string,
  { content }: Response,
) {
  const movesMoney = parameters.some(({ name, required }) => name === 'idempotency-key' && required);
  const isVersioned = VERSIONED.has(content?.['application/json']?.schema?.$ref ?? '');
  const hasLocation =
    (['201', '202', '402'].includes(status) && (movesMoney || LOCATED.has(operationId))) ||
    (operationId === 'capturePayment' && status === '200');
  const isReplayable = movesMoney && ['200', '201', '402', '409', '422'].includes(status);
  return {
    'x-request-id': reference('RequestId'),
    ...(status === '401' && { 'www-authenticate': reference('WwwAuthenticate') }),
    ...(isRetried(status, content) && { 'retry-after': reference('RetryAfter') }),
    ...(hasLocation && { location: reference('Location') }),
    ...(isReplayable && { 'idempotent-replayed': reference('IdempotentReplayed') }),
    ...(isLimited(tags, status) && {
      ratelimit: reference('RateLimit'),
      'ratelimit-policy': reference('RateLimitPolicy'),
    }),
    ...((isVersioned || status === '412') && { etag: reference('ETag') }),
  };
}

/** True if at least one of the errors with this status is temporary. */
function isRetried(status: string, content: Response['content']): boolean {
  const codes = (content?.[PROBLEM_TYPE]?.codes ?? []) as ProblemCode[];
  return status === '202' || codes.some((code) => code in PROBLEMS && hasRetryAfter(code));
}

/** The limit counts every request, except probes. Errors from before it was counted lack the headers. */
function isLimited(tags: string[], status: string): boolean {
  return !tags.includes('health') && (status.startsWith('2') || status === '429');
}

const VERSIONED = new Set(['Account', 'Rule', 'User'].map((name) => `#/components/schemas/${name}`));

/** Operations that create something with its own address, besides those that move money. */
const LOCATED = new Set(['createAccount', 'createRule', 'runReconciliation', 'createWebhookEndpoint']);
