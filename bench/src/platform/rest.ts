/** Plain REST calls for everything that is not load: logins, probes, checks. */
import { Pool } from 'undici';

// biome-ignore lint/suspicious/noExplicitAny: a body is whatever the platform answers.
type Json = any;

export interface Answer {
  status: number;
  text: string;
  json(): Json;
}

export interface Rest {
  get(path: string, authorization?: string): Promise<Answer>;
  post(path: string, body: object, options?: { authorization?: string; key?: string }): Promise<Answer>;
  close(): Promise<void>;
}

/** Summing the journal, or a start under load, may take long. */
const TIMEOUT_MS = 60_000;

export function connectRest(gateway: string, connections: number): Rest {
  const pool = new Pool(gateway, { connections, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
  const send = async (
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
    body: string | null,
  ): Promise<Answer> => {
    const response = await pool.request({ method, path, headers, body });
    const text = await response.body.text();
    return { status: response.statusCode, text, json: () => JSON.parse(text) };
  };
  return {
    get: (path, authorization) => send('GET', path, authorization ? { authorization } : {}, null),
    post(path, body, { authorization, key } = {}) {
      const headers = {
        'content-type': 'application/json',
        ...(authorization && { authorization }),
        ...(key && { 'idempotency-key': key }),
      };
      return send('POST', path, headers, JSON.stringify(body));
    },
    close: () => pool.close(),
  };
}

/** Returns the body of a response, which must have this status. */
export function expectStatus(answer: Answer, status: number): Json {
  if (answer.status === status) return answer.json();
  throw new Error(`expected ${status}, got ${answer.status}: ${answer.text}`);
}
