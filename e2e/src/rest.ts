/** A plain REST client, equal to curl. The typed client is tested beside it. */
import { randomUUID } from 'node:crypto';
import { PATIENCE_MS } from './patience.ts';

// biome-ignore lint/suspicious/noExplicitAny: a body is whatever the platform answers; the tests say what it should be.
export type Body = any;

export interface Answer {
  status: number;
  headers: Headers;
  body: Body;
}

export interface Request {
  token?: string;
  /** The Idempotency-Key. By default a new one for each POST; null sends none. */
  key?: string | null;
  headers?: Record<string, string>;
}

export interface Rest {
  get(path: string, request?: Request): Promise<Answer>;
  post(path: string, body: unknown, request?: Request): Promise<Answer>;
  send(method: string, path: string, body: unknown, request?: Request): Promise<Answer>;
}

/** `token` is called for each request, because the token may have been renewed. */
export function restClient(
  gateway: string,
  token: () => Promise<string | undefined> = async () => undefined,
): Rest {
  const sendAs = async (method: string, path: string, body: unknown, request: Request = {}) =>
    send(gateway, method, path, body, { token: await token(), ...request });
  return {
    get: (path, request) => sendAs('GET', path, undefined, request),
    post: (path, body, request) => sendAs('POST', path, body, { key: randomUUID(), ...request }),
    send: sendAs,
  };
}

async function send(
  gateway: string,
  method: string,
  path: string,
  body: unknown,
  { token, key, headers }: Omit<Request, 'token'> & { token?: string | undefined },
): Promise<Answer> {
  const response = await fetch(new URL(path, gateway), {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(key ? { 'idempotency-key': key } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    // A string is sent unchanged, so that broken JSON can be sent.
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parse(text) };
}

function parse(text: string): Body {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Returns the body of a response with this status. For any other status, throws an error with the response. */
export function expectStatus(answer: Answer, ...statuses: number[]): Body {
  if (statuses.includes(answer.status)) return answer.body;
  throw new Error(`expected ${statuses.join(' or ')}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
}
