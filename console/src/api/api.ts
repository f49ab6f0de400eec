/** The platform, called as the signed-in person. Pages use nothing else. */
import { createPayFlowX, PayFlowXError } from '@payflowx/client';
import {
  keepPreviousData,
  QueryClient,
  type QueryKey,
  useInfiniteQuery,
  useQuery,
} from '@tanstack/react-query';
import { accessToken, onSessionEnd } from '../session/session.ts';

/** A read gives up early, because the page can be reloaded. Actions are retried for as long as the client's default. */
const READ_RETRY_MS = 4_000;

export const api = createPayFlowX({ gateway: location.origin, as: { accessToken } });

export const reads = createPayFlowX({
  gateway: location.origin,
  as: { accessToken },
  retryTimeoutMs: READ_RETRY_MS,
  // The public keys may be cached for a minute, and a page that has just made a new one shows it.
  fetch: (url, init) => fetch(url, { ...init, cache: 'no-cache' }),
});

export const queryClient = new QueryClient({
  defaultOptions: { queries: { retry: false, staleTime: 2_000, refetchOnWindowFocus: true } },
});

onSessionEnd(() => queryClient.clear());

interface Loaded<T> {
  data: T;
}

interface Live {
  /** Milliseconds between two loads while the page is visible. A function is asked before each. */
  everyMs?: number | (() => number);
  enabled?: boolean;
}

/** One resource. */
export function useRead<T>(
  key: QueryKey,
  load: () => Promise<Loaded<T>>,
  { everyMs, enabled = true }: Live = {},
) {
  return useQuery({
    queryKey: key,
    queryFn: async () => (await load()).data,
    enabled,
    refetchInterval: () => intervalOf(everyMs),
    placeholderData: keepPreviousData,
  });
}

interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

/** A list of the API by pages. `load` gets `{ cursor }` for every page but the first. */
export function usePages<T>(
  key: QueryKey,
  load: (cursor: { cursor?: string }) => Promise<Loaded<Page<T>>>,
  { everyMs, enabled = true }: Live = {},
) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: async ({ pageParam }) => (await load(pageParam === '' ? {} : { cursor: pageParam })).data,
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    enabled,
    placeholderData: keepPreviousData,
    // Pages that were loaded by hand stay as they are: only the newest page is live.
    refetchInterval: ({ state }) => (isByHand(state.data) ? false : intervalOf(everyMs)),
  });
  return { ...query, items: query.data?.pages.flatMap(({ data }) => data) };
}

function intervalOf(everyMs: Live['everyMs']): number | false {
  return typeof everyMs === 'function' ? everyMs() : (everyMs ?? false);
}

/** Data that is no list has no pages. */
const isByHand = (loaded: { pages?: unknown[] } | undefined) => (loaded?.pages?.length ?? 1) > 1;

/** Loads the newest page of these lists again. Lists with more pages stay as they are. */
export function refreshNewest(...keys: string[]): Promise<unknown> {
  const predicate = ({ state }: { state: { data: unknown } }) =>
    !isByHand(state.data as { pages?: unknown[] } | undefined);
  return Promise.all(keys.map((key) => queryClient.invalidateQueries({ queryKey: [key], predicate })));
}

export type Pages<T> = ReturnType<typeof usePages<T>>;

/** Marks what an action may have changed. */
export function refresh(...keys: string[]): Promise<unknown> {
  return Promise.all(keys.map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof PayFlowXError ? error.code : undefined;
}
