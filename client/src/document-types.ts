/** The types of a call, from the OpenAPI document. */
import type { FetchOptions } from 'openapi-fetch';
import type {
  FilterKeys,
  HttpMethod,
  MediaType,
  PathsWithMethod,
  ResponseObjectMap,
  SuccessResponse,
} from 'openapi-typescript-helpers';
import type { components, paths } from '../gen/openapi.ts';

/** A schema of the API by its name: `Schema<'Payment'>`. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];

export interface Answer<T> {
  data: T;
  response: Response;
  /** True if this is the outcome of an earlier request with the same key. */
  replayed: boolean;
}

export interface More {
  /**
   * The Idempotency-Key. Give your own if the same request may be sent again after a restart. By default the client creates one.
   */
  key?: string;
  /** Overrides the client's `retryTimeoutMs` for this request: how long to retry. 0 returns a 202 without retrying. */
  retryTimeoutMs?: number;
}

export type Init<P extends keyof paths, M extends HttpMethod> = FetchOptions<FilterKeys<paths[P], M>> & More;
export type Data<P extends keyof paths, M extends keyof paths[P]> =
  ResponseObjectMap<paths[P][M]> extends infer R extends Record<string | number, unknown>
    ? SuccessResponse<R, MediaType>
    : never;

export type Page<T = unknown> = { data: T[]; next_cursor: string | null };
export type ListPath = {
  [P in PathsWithMethod<paths, 'get'>]: Data<P, 'get'> extends Page ? P : never;
}[PathsWithMethod<paths, 'get'>];
export type Item<P extends ListPath> = Data<P, 'get'> extends Page<infer T> ? T : never;
