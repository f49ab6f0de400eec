/** The only place that creates problem+json (RFC 9457). Every refusal passes through it, and no internal detail leaves. */
import { BatcherClosedError, CallError, NeighbourError, newId } from '@payflowx/chassis';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { NO_STORE } from '../http/caching.ts';
import { codeOfFramework, codeOfNeighbour } from './code-of-error.ts';
import { PROBLEMS, type ProblemCode } from './problem-codes.ts';
import {
  type FieldError,
  invalidFields,
  missingOrInvalid,
  sentence,
  type ValidationError,
} from './validation-errors.ts';

export interface ProblemOptions {
  errors?: FieldError[];
  /** Additional members of this code. */
  members?: Record<string, unknown>;
  /** Replaces the code, for codes that are not in PROBLEMS: the decline codes. */
  code?: string;
  instance?: string;
  headers?: Record<string, string>;
  cause?: unknown;
}

/** A refusal for the client. The message is its `detail`. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: ProblemCode;
  readonly options: ProblemOptions;
  constructor(problem: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause });
    this.problem = problem;
    this.options = options;
  }
}

export const PROBLEM_TYPE = 'application/problem+json';

/** The default of Retry-After. */
const RETRY_AFTER_S = '1';

export interface Refusals {
  /** Returns the error for a request that matches no route. */
  refusalOf(request: FastifyRequest): ProblemError;
}

export function handleProblems(app: FastifyInstance, { refusalOf }: Refusals): void {
  app.setErrorHandler((error, request, reply) => {
    // If no route matches, an error about the body is not relevant.
    if (request.is404 && isAboutBody(error)) return sendProblem(refusalOf(request), request, reply);
    // A field that another service names comes from the body, or from the query string if there is no body.
    const place = request.method === 'GET' || request.method === 'HEAD' ? 'query' : 'body';
    return sendProblem(toProblem(error, place), request, reply);
  });
}

/** Fastify checks the content type of some methods, such as QUERY, before it looks for a route. */
function isAboutBody(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE' || code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
}

export function sendProblem(error: ProblemError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const body = problemBody(error, request.url, request.id);
  // Probes ask again and again. The check that they cause logs its result itself.
  if (body.status >= 500 && error.problem !== 'NOT_READY') logFailure(error, body, request);
  for (const [name, value] of Object.entries(headersOf(error))) {
    // The rate limiter and under-pressure set a more exact Retry-After.
    if (!reply.hasHeader(name)) reply.header(name, value);
  }
  return reply.code(body.status).type(PROBLEM_TYPE).header('cache-control', NO_STORE).send(body);
}

/** Returns the members of a problem, always in the same order. */
export function problemBody(error: ProblemError, url: string, requestId: string) {
  const { status, title } = PROBLEMS[error.problem];
  const code = error.options.code ?? error.problem;
  return {
    type: `urn:payflowx:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail: error.message,
    instance: error.options.instance ?? pathOf(url),
    code,
    request_id: requestId,
    retryable: isRetryable(error.problem),
    ...(error.options.errors && { errors: error.options.errors }),
    ...(error.problem === 'INTERNAL' && { error_id: newId('err') }),
    ...error.options.members,
  };
}

/** Query strings can contain data that must not be logged. The path is enough. */
function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** Conflicts that end after a moment without any action. */
const TEMPORARY_CONFLICTS = new Set<ProblemCode>([
  'IDEMPOTENCY_IN_PROGRESS',
  'NOT_SEALED_YET',
  'RECONCILIATION_RUNNING',
]);

/** Returns true if responses with this code have a Retry-After. */
export function hasRetryAfter(problem: ProblemCode): boolean {
  const { status } = PROBLEMS[problem];
  return status === 429 || status === 503 || TEMPORARY_CONFLICTS.has(problem);
}

/** Returns true if the same request, with the same key, may succeed later. */
function isRetryable(problem: ProblemCode): boolean {
  const { retry, key } = PROBLEMS[problem];
  return retry === 'later' && key !== 'final';
}

function headersOf({ problem, options }: ProblemError): Record<string, string> {
  const { status } = PROBLEMS[problem];
  return {
    ...options.headers,
    ...(hasRetryAfter(problem) && !options.headers?.['retry-after'] && { 'retry-after': RETRY_AFTER_S }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  };
}

function logFailure(error: ProblemError, body: object, request: FastifyRequest): void {
  const { code, error_id } = body as { code: string; error_id?: string };
  const fields = { code, error_id, request_id: request.id, err: error.cause ?? error };
  if (error.problem === 'INTERNAL') request.log.error(fields, 'unexpected error');
  else request.log.warn(fields, 'request failed');
}

export function toProblem(error: unknown, place: FieldError['in'] = 'body'): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof NeighbourError) return fromNeighbour(error, place);
  if (error instanceof CallError) return fromChassis(error);
  if (error instanceof BatcherClosedError) {
    return new ProblemError('UNAVAILABLE', 'This instance is shutting down. Try again.');
  }
  return fromFramework(error);
}

/** Translates an error of another service. Of its messages, only those meant for callers are passed on. */
function fromNeighbour(error: NeighbourError, place: FieldError['in']): ProblemError {
  const problem = codeOfNeighbour(error);
  const errors = invalidFields(error, place);
  const detail =
    problem === 'INVALID_REQUEST' && errors.length > 0 ? sentence(errors) : detailOfNeighbour(problem, error);
  return new ProblemError(problem, detail, {
    cause: error,
    ...(errors.length > 0 && { errors }),
    headers: headersOfNeighbour(problem, error),
    members: MEMBERS[problem]?.(error.metadata) ?? {},
  });
}

function headersOfNeighbour(problem: ProblemCode, { retryAfterMs, metadata }: NeighbourError) {
  return {
    ...(retryAfterMs !== undefined && { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
    // A refusal that is final for its key is replayed like any other response.
    ...(metadata.replayed === 'true' && { 'idempotent-replayed': 'true' }),
    ...(problem === 'VERSION_MISMATCH' && metadata.version && { etag: `"${metadata.version}"` }),
  };
}

function detailOfNeighbour(problem: ProblemCode, { domain, message }: NeighbourError): string {
  const { status, title } = PROBLEMS[problem];
  // The domain "grpc" means that the message is the library's, with addresses and codes. From status 500 on, the error is about
  // the platform, not about the request.
  return status >= 500 || domain === 'grpc' ? `${title}.` : message;
}

type Metadata = Readonly<Record<string, string>>;

/** Members of the problem, from the metadata of another service's error. `allowed_actions` is separated by commas. */
const MEMBERS: Partial<Record<ProblemCode, (metadata: Metadata) => Record<string, unknown>>> = {
  INVALID_STATE: ({ state, allowed_actions }) => ({
    state: state ?? '',
    allowed_actions: allowed_actions ? allowed_actions.split(',') : [],
  }),
  ACTION_NOT_ALLOWED: ({ allowed }) => (allowed ? { allowed } : {}),
  CAPTURE_EXCEEDS_AUTHORIZED: ({ available_minor }) => ({ available: numberOf(available_minor) }),
  REFUND_EXCEEDS_CAPTURED: ({ available_minor }) => ({ available: numberOf(available_minor) }),
  SECOND_FACTOR_REQUIRED: ({ challenge, methods, passkey_options }) => ({
    challenge: challenge ?? '',
    // An auth of an earlier release sends only the challenge.
    ...(methods && { methods: methods.split(',') }),
    ...(passkey_options && { passkey_options: JSON.parse(passkey_options) }),
  }),
  VERSION_MISMATCH: ({ version }) => (version ? { version: numberOf(version) } : {}),
  ACCOUNT_NOT_EMPTY: ({ posted_minor, held_minor }) => ({
    balance: { posted: numberOf(posted_minor), held: numberOf(held_minor) },
  }),
};

const numberOf = (digits: string | undefined) => Number(digits ?? 0);

/** Errors of the chassis in this process: a token is not valid, lacks a scope, is restricted, or cannot be verified at the moment. */
function fromChassis(error: CallError): ProblemError {
  if (error.reason === 'UNAUTHENTICATED') return unauthenticated();
  if (error.reason === 'INSUFFICIENT_SCOPE' || error.reason === 'SECOND_FACTOR_SETUP_REQUIRED') {
    return new ProblemError(error.reason, error.message);
  }
  return new ProblemError('UNAVAILABLE', `${PROBLEMS.UNAVAILABLE.title}.`, { cause: error });
}

const NOT_ACCEPTED = 'The access token is malformed, revoked, or not issued by this platform.';
const MISSING = 'There is no access token. Send the header Authorization: Bearer <access token>.';

/** By the codes of @fastify/jwt. */
const UNAUTHENTICATED_DETAILS: Record<string, string> = {
  FST_JWT_NO_AUTHORIZATION_IN_HEADER: MISSING,
  FST_JWT_BAD_REQUEST: 'The header Authorization is malformed. Its form is: Bearer <access token>.',
  FST_JWT_AUTHORIZATION_TOKEN_EXPIRED: 'The access token has expired. Get a new one.',
};

/** The cause is only logged. */
export function unauthenticated(cause?: unknown) {
  const { code } = (cause ?? {}) as { code?: string };
  return new ProblemError('UNAUTHENTICATED', UNAUTHENTICATED_DETAILS[code ?? ''] ?? NOT_ACCEPTED, { cause });
}

function fromFramework(error: unknown): ProblemError {
  if (!(error instanceof Error))
    return new ProblemError('INTERNAL', `${PROBLEMS.INTERNAL.title}.`, { cause: error });
  if ('validation' in error) return fromValidation(error);
  const code = codeOfFramework(error as { code?: unknown; statusCode?: unknown });
  if (code === 'UNAUTHENTICATED') return unauthenticated(error);
  if (code === 'UNSUPPORTED_MEDIA_TYPE')
    return new ProblemError(code, 'Send the body with the header Content-Type: application/json.', {
      cause: error,
    });
  // The framework's messages about requests are meant for clients. Those about itself are not.
  const detail = PROBLEMS[code].status < 500 ? error.message : `${PROBLEMS[code].title}.`;
  return new ProblemError(code, detail, { cause: error });
}

function fromValidation(error: Error): ProblemError {
  const { problem, detail, errors } = missingOrInvalid(error as ValidationError);
  return new ProblemError(problem, detail, errors.length > 0 ? { errors } : {});
}
