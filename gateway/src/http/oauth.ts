/**
 * The parts of RFC 6749 that differ from the rest of the API: form encoding, and credentials in the header Authorization. Requests in
 * form encoding get errors in the form of its section 5.2.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError, toProblem } from '../problems/problem.ts';
import { PROBLEMS, type ProblemCode } from '../problems/problem-codes.ts';
import { NO_STORE } from './caching.ts';

const FORM = 'application/x-www-form-urlencoded';

/** The media types of a request to a token endpoint. */
export const TOKEN_REQUEST_TYPES = ['application/json', FORM];

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The known parameters. Others must be ignored (RFC 6749, 3.2). */
const PARAMETERS = [
  'grant_type',
  'client_id',
  'client_secret',
  'client_assertion_type',
  'client_assertion',
  'scope',
];

const MISSING = 'is missing';
const REPEATED = 'is there more than once';

type Body = Record<string, unknown>;

/** Makes the routes of `app` accept form encoding. Only those: other routes would be open to requests from forms of other sites. */
export function acceptForms(app: FastifyInstance): void {
  app.addContentTypeParser(FORM, { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, readForm(text as string));
    } catch (error) {
      done(error as Error);
    }
  });
  app.setErrorHandler((error, request, reply) => {
    const answer = isForm(request) ? oauthError(toProblem(error)) : undefined;
    // The handler of the whole server continues.
    if (!answer) throw error;
    return sendOauthError(answer, request, reply);
  });
}

function isForm({ headers }: FastifyRequest): boolean {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase() === FORM;
}

function readForm(text: string): Body {
  const parameters = new URLSearchParams(text);
  const body: Body = {};
  for (const name of PARAMETERS) {
    const values = parameters.getAll(name);
    if (values.length > 1) throw invalidForm(name, REPEATED);
    // A parameter without a value counts as absent (RFC 6749, 3.2).
    if (values[0] !== undefined && values[0] !== '') body[name] = values[0];
  }
  if (body.grant_type === undefined) throw invalidForm('grant_type', MISSING);
  return body;
}

/** Moves credentials of the header into the body (RFC 6749, 2.3.1), for the schema to check. Runs before the validation. */
export async function readBasicCredentials(request: FastifyRequest): Promise<void> {
  const [scheme = '', encoded = ''] = (request.headers.authorization ?? '').split(' ');
  if (typeof request.body !== 'object' || request.body === null) return;
  const body = request.body as Body;
  if (scheme.toLowerCase() !== 'basic') return requireCredentials(request, body);
  const [id, secret] = decodeBasic(encoded);
  if (body.client_secret !== undefined || body.client_assertion !== undefined) {
    throw invalidForm('client_secret', 'cannot be sent in the header Authorization and in the body');
  }
  if (body.client_id !== undefined && body.client_id !== id) {
    throw invalidForm('client_id', 'differs from that in the header Authorization');
  }
  request.body = { ...body, client_id: id, client_secret: secret };
}

/** RFC 6749, 5.2: no credentials are wrong credentials. In JSON, the schema says which are missing. */
function requireCredentials(request: FastifyRequest, body: Body): void {
  if (!isForm(request) || body.client_secret !== undefined || body.client_assertion !== undefined) return;
  throw new ProblemError('INVALID_CREDENTIALS', 'The request has no credentials of an API client.');
}

function decodeBasic(encoded: string): [string, string] {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  try {
    // Both parts are form-encoded before they are joined.
    if (colon > 0) return [decodeForm(text.slice(0, colon)), decodeForm(text.slice(colon + 1))];
  } catch {
    // A broken escape.
  }
  throw new ProblemError('INVALID_CREDENTIALS', 'The credentials in the header Authorization are malformed.');
}

function decodeForm(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function invalidForm(name: string, detail: string): ProblemError {
  return new ProblemError('INVALID_REQUEST', `${name} ${detail}.`, {
    errors: [{ pointer: `/${name}`, detail, in: 'body' }],
  });
}

/** By RFC 6749, 5.2. Codes with another status than 400 or 401 have no counterpart there, and stay problems. */
const OAUTH_ERRORS: Partial<Record<ProblemCode, string>> = {
  INVALID_CREDENTIALS: 'invalid_client',
  INVALID_CLIENT_ASSERTION: 'invalid_client',
  INVALID_SCOPE: 'invalid_scope',
  INVALID_REQUEST: 'invalid_request',
};

interface OauthError {
  status: number;
  error: string;
  error_description: string;
}

function oauthError({ problem, message, options }: ProblemError): OauthError | undefined {
  const error = OAUTH_ERRORS[problem];
  if (error === undefined) return undefined;
  const isAboutGrant = options.errors?.some(
    ({ pointer, detail }) => pointer === '/grant_type' && detail !== MISSING && detail !== REPEATED,
  );
  return {
    status: PROBLEMS[problem].status,
    error: problem === 'INVALID_REQUEST' && isAboutGrant ? 'unsupported_grant_type' : error,
    // The RFC allows only these characters.
    error_description: message.replaceAll('"', "'").replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?'),
  };
}

function sendOauthError(
  { status, error, error_description }: OauthError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (status === 401) reply.header('www-authenticate', 'Basic realm="payflowx"');
  reply.header('cache-control', NO_STORE).header('pragma', 'no-cache');
  return reply
    .code(status)
    .type('application/json')
    .send(JSON.stringify({ error, error_description, request_id: request.id }));
}
