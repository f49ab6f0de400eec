/** An HTTP client of the gateway. It validates every response against the gateway's own OpenAPI document. */
import type { RoleName } from '@payflowx/chassis';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { FORMATS } from '../src/schemas/formats.ts';
import type { Platform } from './platform.ts';

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read any member of a body; its schema is checked below.
  body: any;
  text: string;
}

export interface CallOptions {
  as?: RoleName;
  token?: string;
  id?: string;
  key?: string;
  body?: unknown;
  /** Sent unchanged. */
  raw?: string | Buffer;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

export type Client = Awaited<ReturnType<typeof createClient>>;

export async function createClient({ url, identity }: Pick<Platform, 'url' | 'identity'>) {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  const check = documentChecker(document);

  async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { as, id = `usr_of_${as}`, key, body, raw, headers = {}, signal } = options;
    const token = options.token ?? (as && (await identity.tokenFor({ id, roles: [as] })));
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(payload !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(payload !== undefined && { body: payload as string }),
      redirect: 'manual',
      signal: signal ?? null,
    });
    const text = await response.text();
    const answer = { status: response.status, headers: response.headers, body: parse(text), text };
    check(method, path, answer);
    return answer;
  }

  return { call, document };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Operation {
  operationId?: string;
  description?: string;
  security?: object[];
  responses: Record<string, { content?: Record<string, { examples?: object }> }>;
}
type Document = { openapi: string; paths: Record<string, Record<string, Operation>> };

/** The examples of a problem list every code that it may have. */
function checkCode(
  where: string,
  media: { examples?: object } | undefined,
  { code }: { code: string },
): void {
  if (!Object.keys(media?.examples ?? {}).includes(code)) {
    throw new Error(`${where} has the code ${code}, which its document does not name.`);
  }
}

/** Throws if the document does not describe the status or the body of a response. */
function documentChecker(document: Document) {
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: FORMATS });
  // The package is CommonJS: its function is the default of the default.
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  ajv.addSchema(document, 'openapi', undefined, false);
  const patterns = Object.keys(document.paths).map((path) => ({
    path,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
  }));
  // /v1/payments/simulate does not contain the id of a payment.
  patterns.sort((a, b) => Number(a.path.includes('{')) - Number(b.path.includes('{')));

  return (method: string, target: string, { status, headers, body }: Answer) => {
    const bare = target.split('?')[0] ?? '';
    const path = patterns.find(({ pattern }) => pattern.test(bare))?.path;
    const operation = path && document.paths[path]?.[method.toLowerCase()];
    if (!path || !operation) return;
    const response = operation.responses[status];
    if (!response)
      throw new Error(`${method} ${path} answers ${status}, which its document does not foresee.`);
    const type = headers.get('content-type')?.split(';')[0] ?? '';
    if (!response.content) return;
    if (!(type in response.content)) throw new Error(`${method} ${path} ${status} answers ${type}.`);
    const steps = [
      'paths',
      path,
      method.toLowerCase(),
      'responses',
      String(status),
      'content',
      type,
      'schema',
    ];
    const pointer = steps.map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
    const validate = ajv.getSchema(`openapi#/${encodeURI(pointer)}`);
    if (!validate) throw new Error(`There is no schema at ${pointer}.`);
    // Errors of RFC 6749 have a form of their own.
    if (status >= 400 && type === 'application/problem+json')
      checkCode(`${method} ${path} ${status}`, response.content[type], body);
    if (!validate(body)) throw new Error(`${method} ${path} ${status}: ${ajv.errorsText(validate.errors)}`);
  };
}
