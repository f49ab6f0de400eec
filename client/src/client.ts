/** The typed calls. Paths, parameters, bodies and responses are those of the OpenAPI document. */
import createClient from 'openapi-fetch';
import type { HttpMethod, PathsWithMethod, RequiredKeysOf } from 'openapi-typescript-helpers';
import type { paths } from '../gen/openapi.ts';
import { KEYED } from '../gen/routes.ts';
import { attempts, deliver, sendableFrom } from './deliver.ts';
import type { Answer, Data, Init, Item, ListPath, More, Page } from './document-types.ts';
import { isReplay, refused } from './errors.ts';
import { type Connection, DEFAULTS } from './options.ts';
import { type Resources, resourcesBy } from './resources.ts';
import { attemptsAs, createTokens } from './tokens.ts';

type Inits<I> = RequiredKeysOf<I> extends never ? [init?: I] : [init: I];

type Call<M extends HttpMethod> = <P extends PathsWithMethod<paths, M>>(
  path: P,
  ...init: Inits<Init<P, M>>
) => Promise<Answer<Data<P, M>>>;

/** The operations by resource, such as `captures.create`, and all routes by method and path. */
export interface PayFlowX extends Resources {
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
    ...resourcesBy(call, list),
    get: call.bind(undefined, 'get'),
    post: call.bind(undefined, 'post'),
    put: call.bind(undefined, 'put'),
    patch: call.bind(undefined, 'patch'),
    delete: call.bind(undefined, 'delete'),
    list,
    accessToken: async () => (await tokens?.current()) ?? '',
  } as PayFlowX;
}
