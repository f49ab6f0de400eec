/** The operations of the API by resource. A name leads to the route in the OpenAPI document, which has all types. */
import type { paths } from '../gen/openapi.ts';

import { PAGED, type Route, WITH_BODY } from '../gen/routes.ts';
import type { Answer, Data, Init, Item, ListPath, More, Page } from './document-types.ts';

type Methods = { GET: 'get'; POST: 'post'; PUT: 'put'; PATCH: 'patch'; DELETE: 'delete' };
/** Logins, tokens, streams, health checks and the session of a browser are not here: the client, or its user, has other ways for them. */
export const RESOURCES = {
  payments: {
    create: 'POST /v1/payments',
    get: 'GET /v1/payments/{id}',
    list: 'GET /v1/payments',
    update: 'PATCH /v1/payments/{id}',
    cancel: 'POST /v1/payments/{id}/cancel',
    simulate: 'POST /v1/payments/simulate',
    timeline: 'GET /v1/payments/{id}/timeline',
  },
  captures: {
    create: 'POST /v1/payments/{id}/capture',
    get: 'GET /v1/captures/{id}',
    list: 'GET /v1/captures',
  },
  refunds: {
    create: 'POST /v1/payments/{id}/refunds',
    get: 'GET /v1/refunds/{id}',
    list: 'GET /v1/refunds',
    listOfPayment: 'GET /v1/payments/{id}/refunds',
  },
  deposits: { create: 'POST /v1/deposits' },
  withdrawals: { create: 'POST /v1/withdrawals' },
  accounts: {
    create: 'POST /v1/accounts',
    createMany: 'POST /v1/accounts/batch',
    get: 'GET /v1/accounts/{id}',
    list: 'GET /v1/accounts',
    update: 'PATCH /v1/accounts/{id}',
    freeze: 'POST /v1/accounts/{id}/freeze',
    unfreeze: 'POST /v1/accounts/{id}/unfreeze',
    close: 'POST /v1/accounts/{id}/close',
  },
  mandates: {
    create: 'POST /v1/mandates',
    get: 'GET /v1/mandates/{id}',
    list: 'GET /v1/mandates',
    revoke: 'POST /v1/mandates/{id}/revoke',
  },
  sandbox: { advance: 'POST /v1/sandbox/accounts/{id}/advance' },
  currencies: { list: 'GET /v1/currencies' },
  rules: {
    create: 'POST /v1/rules',
    get: 'GET /v1/rules/{id}',
    list: 'GET /v1/rules',
    update: 'PATCH /v1/rules/{id}',
    listVersions: 'GET /v1/rules/{id}/versions',
    backtest: 'POST /v1/rules/backtest',
  },
  ledger: {
    listEntries: 'GET /v1/ledger/entries',
    transaction: 'GET /v1/ledger/transactions/{id}',
    balance: 'GET /v1/ledger/accounts/{id}/balance',
    statement: 'GET /v1/ledger/accounts/{id}/statement',
    head: 'GET /v1/ledger/head',
    receipt: 'GET /v1/ledger/payments/{id}/receipt',
    proof: 'GET /v1/ledger/proof',
  },
  reconciliations: {
    run: 'POST /v1/ledger/reconciliations',
    get: 'GET /v1/ledger/reconciliations/{id}',
    list: 'GET /v1/ledger/reconciliations',
  },
  events: { get: 'GET /v1/events/{id}', list: 'GET /v1/events' },
  webhookEndpoints: {
    create: 'POST /v1/webhook-endpoints',
    get: 'GET /v1/webhook-endpoints/{id}',
    list: 'GET /v1/webhook-endpoints',
    update: 'PATCH /v1/webhook-endpoints/{id}',
    delete: 'DELETE /v1/webhook-endpoints/{id}',
    rotateSecret: 'POST /v1/webhook-endpoints/{id}/rotate-secret',
    test: 'POST /v1/webhook-endpoints/{id}/test',
    redeliver: 'POST /v1/webhook-endpoints/{id}/redeliver',
  },
  webhookDeliveries: {
    get: 'GET /v1/webhook-deliveries/{id}',
    list: 'GET /v1/webhook-deliveries',
    redeliver: 'POST /v1/webhook-deliveries/{id}/redeliver',
  },
  notifications: {
    list: 'GET /v1/notifications',
    preferences: 'GET /v1/notification-preferences',
    replacePreferences: 'PUT /v1/notification-preferences',
  },
  mails: {
    list: 'GET /v1/mails',
    listSuppressions: 'GET /v1/mail-suppressions',
    liftSuppression: 'DELETE /v1/mail-suppressions/{id}',
  },
  emailConfirmations: {
    create: 'POST /v1/email-confirmations',
    resend: 'POST /v1/email-confirmations/resend',
  },
  users: {
    create: 'POST /v1/users',
    get: 'GET /v1/users/{id}',
    list: 'GET /v1/users',
    update: 'PATCH /v1/users/{id}',
    disable: 'POST /v1/users/{id}/disable',
    enable: 'POST /v1/users/{id}/enable',
    resetPassword: 'POST /v1/users/{id}/reset-password',
    listSessions: 'GET /v1/users/{id}/sessions',
    revokeSession: 'POST /v1/users/{id}/sessions/{session_id}/revoke',
    logoutEverywhere: 'POST /v1/users/{id}/logout-everywhere',
    deleteSecondFactors: 'DELETE /v1/users/{id}/second-factors',
  },
  apiClients: {
    create: 'POST /v1/api-clients',
    list: 'GET /v1/api-clients',
    revoke: 'POST /v1/api-clients/{id}/revoke',
    rotateSecret: 'POST /v1/api-clients/{id}/rotate-secret',
    removeSecret: 'DELETE /v1/api-clients/{id}/secret',
    addKey: 'POST /v1/api-clients/{id}/keys',
    listKeys: 'GET /v1/api-clients/{id}/keys',
    removeKey: 'DELETE /v1/api-clients/{id}/keys/{kid}',
  },
  me: {
    get: 'GET /v1/auth/me',
    changePassword: 'POST /v1/auth/password',
    listSessions: 'GET /v1/auth/sessions',
    revokeSession: 'POST /v1/auth/sessions/{id}/revoke',
    logoutEverywhere: 'POST /v1/auth/logout-everywhere',
    addSecondFactor: 'POST /v1/auth/second-factors',
    listSecondFactors: 'GET /v1/auth/second-factors',
    confirmSecondFactor: 'POST /v1/auth/second-factors/{id}/confirm',
    deleteSecondFactor: 'DELETE /v1/auth/second-factors/{id}',
  },
  signingKeys: { rotate: 'POST /v1/signing-keys/rotate' },
  analytics: {
    summary: 'GET /v1/analytics/summary',
    listDailyTotals: 'GET /v1/analytics/daily',
    account: 'GET /v1/analytics/accounts/{id}',
  },
  audit: {
    listAccounts: 'GET /v1/audit/accounts',
    listPayments: 'GET /v1/audit/payments',
    listWebhooks: 'GET /v1/audit/webhooks',
    listIdentities: 'GET /v1/audit/identities',
    listDeadLetters: 'GET /v1/audit/dead-letters',
  },
  deadLetters: {
    get: 'GET /v1/dead-letters/{id}',
    list: 'GET /v1/dead-letters',
    redrive: 'POST /v1/dead-letters/{id}/redrive',
    redriveAll: 'POST /v1/dead-letters/redrive',
  },
  operations: {
    pipeline: 'GET /v1/pipeline',
    listServices: 'GET /v1/services',
    search: 'GET /v1/search',
  },
} as const satisfies Record<string, Record<string, Route>>;

type PathOf<R extends Route> = R extends `${string} ${infer P extends keyof paths}` ? P : never;
type MethodOf<R extends Route> = R extends `${infer M extends keyof Methods} ${string}` ? Methods[M] : never;
type InitOf<R extends Route> = Init<PathOf<R>, MethodOf<R>>;

/** One id for each parameter in the path. */
type Ids<P> = P extends `${string}{${string}}${infer Rest}` ? [id: string, ...Ids<Rest>] : [];
type Body<R extends Route> =
  InitOf<R> extends { body: infer B }
    ? [body: B]
    : InitOf<R> extends { body?: infer B }
      ? [NonNullable<B>] extends [never]
        ? []
        : [body?: B]
      : [];
type Params<R extends Route> = InitOf<R> extends { params?: infer X } ? NonNullable<X> : object;
/** `query` and `header` as in the document, `key`, `retryTimeoutMs` and `signal`. */
type Options<R extends Route> = Pick<Params<R>, Extract<keyof Params<R>, 'query' | 'header'>> &
  More & { signal?: AbortSignal };
type OptionsArgument<R extends Route> =
  Record<never, never> extends Options<R> ? [options?: Options<R>] : [options: Options<R>];

/** Yields every item of all pages. `page` loads one page: the first, or the one of a `next_cursor`. */
export interface Listing<T> extends AsyncIterable<T> {
  page(cursor?: string | null): Promise<Answer<Page<T>>>;
}

type Result<R extends Route> =
  PathOf<R> extends ListPath
    ? MethodOf<R> extends 'get'
      ? Listing<Item<PathOf<R>>>
      : Promise<Answer<DataOf<R>>>
    : Promise<Answer<DataOf<R>>>;
type DataOf<R extends Route> = Data<PathOf<R>, MethodOf<R> & keyof paths[PathOf<R>]>;
type Operation<R extends Route> = (
  ...args: [...Ids<PathOf<R>>, ...Body<R>, ...OptionsArgument<R>]
) => Result<R>;

export type Resources = {
  readonly [N in keyof typeof RESOURCES]: {
    readonly [O in keyof (typeof RESOURCES)[N]]: (typeof RESOURCES)[N][O] extends infer R extends Route
      ? Operation<R>
      : never;
  };
};

type Send = (method: Lowercase<keyof Methods>, path: string, init?: object) => Promise<Answer<unknown>>;
type List = (path: string, init?: object) => AsyncGenerator<unknown, void>;
interface Given {
  query?: object;
  header?: object;
}

/** Makes the operations. `send` sends one request, and `list` yields the items of all pages. */
export function resourcesBy(send: Send, list: List): Resources {
  const made = Object.entries(RESOURCES).map(([name, operations]) => [
    name,
    Object.fromEntries(
      Object.entries(operations).map(([operation, route]) => [operation, operationBy(send, list, route)]),
    ),
  ]);
  return Object.fromEntries(made) as Resources;
}

function operationBy(send: Send, list: List, route: Route) {
  const [method = '', path = ''] = route.split(' ');
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return (...args: unknown[]) => {
    const ids = Object.fromEntries(names.map((name, index) => [name, args[index]]));
    const [first, second] = args.slice(names.length);
    const [body, options] = WITH_BODY.has(route) ? [first, second] : [undefined, first];
    const { query, header, ...more } = (options ?? {}) as Given;
    const init = { ...more, ...(body !== undefined && { body }), params: { path: ids, query, header } };
    return PAGED.has(route)
      ? listing(send, list, path, init)
      : send(method.toLowerCase() as Lowercase<keyof Methods>, path, init);
  };
}

function listing(send: Send, list: List, path: string, init: { params: Given }): Listing<unknown> {
  const query = (cursor: string | null | undefined) => ({ ...init.params.query, ...(cursor && { cursor }) });
  return {
    [Symbol.asyncIterator]: () => list(path, init),
    page: (cursor) =>
      send('get', path, { ...init, params: { ...init.params, query: query(cursor) } }) as Promise<
        Answer<Page<unknown>>
      >,
  };
}
