/** The typed calls. Paths, parameters, bodies and responses are those of the OpenAPI document. */
import createClient, { type FetchOptions } from 'openapi-fetch';
import type {
  FilterKeys,
  HttpMethod,
  MediaType,
  PathsWithMethod,
  RequiredKeysOf,
  ResponseObjectMap,
  SuccessResponse,
} from 'openapi-typescript-helpers';
import { KEYED } from '../gen/keyed.ts';
import type { components, paths } from '../gen/openapi.ts';
import { attempts, deliver, sendableFrom } from './deliver.ts';
import { isReplay, refused } from './errors.ts';
import { type Connection, DEFAULTS } from './options.ts';
import { attemptsAs, createTokens } from './tokens.ts';

/** A schema of the API by its name: `Schema<'Payment'>`. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];

export interface Answer<T> {
  data: T;
  response: Response;
  /** True if this is the outcome of an earlier request with the same key. */
  replayed: boolean;
}

interface More {
  /**
   * The Idempotency-Key. Give your own if the same request may be sent again after a restart. By default the client creates one.
   */
  key?: string;
  /** Overrides the client's `retryTimeoutMs` for this request: how long to retry. 0 returns a 202 without retrying. */
  retryTimeoutMs?: number;
}

type Init<P extends keyof paths, M extends HttpMethod> = FetchOptions<FilterKeys<paths[P], M>> & More;
type Inits<I> = RequiredKeysOf<I> extends never ? [init?: I] : [init: I];
type Data<P extends keyof paths, M extends keyof paths[P]> =
  ResponseObjectMap<paths[P][M]> extends infer R extends Record<string | number, unknown>
    ? SuccessResponse<R, MediaType>
    : never;

type Call<M extends HttpMethod> = <P extends PathsWithMethod<paths, M>>(
  path: P,
  ...init: Inits<Init<P, M>>
) => Promise<Answer<Data<P, M>>>;

type Page<T = unknown> = { data: T[]; next_cursor: string | null };
type ListPath = {
  [P in PathsWithMethod<paths, 'get'>]: Data<P, 'get'> extends Page ? P : never;
}[PathsWithMethod<paths, 'get'>];
type Item<P extends ListPath> = Data<P, 'get'> extends Page<infer T> ? T : never;

export interface PayFlowX {
  get: Call<'get'>;
  post: Call<'post'>;
  put: Call<'put'>;
  patch: Call<'patch'>;
  delete: Call<'delete'>;
  /** Yields every item of a list. Loads the next page when the last one is used up. */
  list<P extends ListPath>(path: P, ...init: Inits<Init<P, 'get'>>): AsyncGenerator<Item<P>, void>;
  /** Returns the access token for other uses, for example gRPC. Empty if the client has no credentials. */
  accessToken(): Promise<string>;
}

/** Creates a client. It sends nothing before the first call. Every call rejects with a PayFlowXError, or with an AbortError if it was aborted. */
export function createPayFlowX(connection: Connection): PayFlowX {
  const settings = { ...DEFAULTS, ...connection };
  const attempt = attempts(settings.fetch ?? fetch, settings.timeoutMs);
  const tokens = settings.as && createTokens(settings.as, { ...settings, attempt });
  const attemptAsCaller = tokens ? attemptsAs(tokens, attempt) : attempt;
  const api = createClient<paths>({ baseUrl: settings.gateway });

  async function call(method: HttpMethod, path: string, { key: given, ...init }: More & RequestInit = {}) {
    const keyed = KEYED.has(`${method.toUpperCase()} ${path}`);
    const key = keyed ? (given ?? crypto.randomUUID()) : undefined;
    const retryOptions = {
      retryTimeoutMs: init.retryTimeoutMs ?? settings.retryTimeoutMs,
      repeatable: keyed || method === 'get',
      signal: init.signal ?? undefined,
    };
    const send = async (request: Request) =>
      deliver(attemptAsCaller, await sendableFrom(request), retryOptions, key);
    const headers = { ...init.headers, ...(key !== undefined && { 'idempotency-key': key }) };
    // The method signatures above check the paths; here a path has any type.
    const answer = await api.request(
      method as 'get',
      path as never,
      { ...init, headers, fetch: send } as never,
    );
    if (!answer.response.ok) throw refused(answer.response, answer.error, key);
    return { ...answer, replayed: isReplay(answer.response) } as Answer<unknown>;
  }

  async function* list(path: string, init: { params?: { query?: object } } = {}) {
    let cursor: string | null = null;
    do {
      const query = { ...init.params?.query, ...(cursor !== null && { cursor }) };
      const { data } = await call('get', path, { ...init, params: { ...init.params, query } } as object);
      const page = data as Page;
      yield* page.data;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  return {
    get: call.bind(undefined, 'get'),
    post: call.bind(undefined, 'post'),
    put: call.bind(undefined, 'put'),
    patch: call.bind(undefined, 'patch'),
    delete: call.bind(undefined, 'delete'),
    list,
    accessToken: async () => (await tokens?.current()) ?? '',
  } as PayFlowX;
}
