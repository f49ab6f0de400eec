/**
 * The access tokens that are no longer valid although they have not expired. Auth keeps the list in its database. Each service holds a
 * copy, so no request waits for auth. The list is short, because an entry leaves it when its tokens have expired.
 */
import { status } from '@grpc/grpc-js';
import { backoffMs, sleep } from '../process/backoff.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Caller } from './caller.ts';
import { NeighbourError } from './errors.ts';

/** Tokens of a user, of a session or of an API client. */
export interface Revocation {
  /** The id of the user, session or client. */
  id: string;
  /** Tokens that begin before this second are revoked. Undefined: all tokens. */
  notBeforeS: number | undefined;
  /** From this time no revoked token is valid any more. */
  expiresAt: Date;
}

export interface Revocations {
  isRevoked(token: { caller: Caller; iat?: unknown }): boolean;
}

export interface RevocationList extends Revocations {
  add(revocations: readonly Revocation[]): void;
}

export function createRevocationList(nowMs: () => number = Date.now): RevocationList {
  /** In the order of arrival, which is almost the order of expiry. */
  const byId = new Map<string, { notBeforeS: number; expiresMs: number }>();
  const covers = (id: string | undefined, iat: number) => {
    const entry = id === undefined ? undefined : byId.get(id);
    return entry !== undefined && iat < entry.notBeforeS;
  };
  return {
    isRevoked({ caller, iat }) {
      if (byId.size === 0) return false;
      const begin = typeof iat === 'number' ? iat : Number.NEGATIVE_INFINITY;
      return covers(caller.id, begin) || covers(caller.sessionId, begin) || covers(caller.clientId, begin);
    },
    add(revocations) {
      for (const [id, { expiresMs }] of byId) {
        if (expiresMs > nowMs()) break;
        byId.delete(id);
      }
      for (const { id, notBeforeS = Number.POSITIVE_INFINITY, expiresAt } of revocations) {
        const earlier = byId.get(id)?.notBeforeS ?? Number.NEGATIVE_INFINITY;
        // Deleted first, so that the entry moves to the end of the order.
        byId.delete(id);
        byId.set(id, { notBeforeS: Math.max(earlier, notBeforeS), expiresMs: expiresAt.getTime() });
      }
    },
  };
}

export interface RevocationPage {
  revocations: readonly Revocation[];
  /** The position after the last one of them. */
  position: bigint;
  /** True if there are more after `position`. */
  more: boolean;
}

/** Returns the revocations after a position. With `wait`, it answers when there are some, or after a while without any. */
export type ReadRevocations = (after: { position: bigint; wait: boolean }) => Promise<RevocationPage>;

export interface RevocationFollower {
  /** Resolves when the list was read once. Rejects if the current try to read it fails. */
  loaded(): Promise<void>;
  /** Does not wait for the read in progress. */
  stop(): void;
}

/** A source that answers too early must not make this a busy loop. */
const PAUSE_MS = 50;
/** An auth of an earlier release has no list. */
const UNSUPPORTED_PAUSE_MS = 60_000;

/** Keeps `list` up to date. While the source is unavailable, the list stays as it is. */
export function followRevocations(
  list: RevocationList,
  read: ReadRevocations,
  log: Logger,
): RevocationFollower {
  const stopping = new AbortController();
  let position = 0n;
  let isLoaded = false;
  let waiting: { resolve(): void; reject(error: unknown): void }[] = [];
  const settle = (decide: (one: (typeof waiting)[number]) => void) => {
    const settled = waiting;
    waiting = [];
    for (const one of settled) decide(one);
  };

  const readOnce = async () => {
    const page = await read({ position, wait: isLoaded });
    list.add(page.revocations);
    position = page.position;
    if (page.more) return;
    isLoaded = true;
    settle(({ resolve }) => resolve());
  };
  const run = async () => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        await readOnce();
        if (failures > 0) log.info('the revoked tokens are up to date again');
        failures = 0;
        await sleep(PAUSE_MS, stopping.signal);
      } catch (error) {
        if (stopping.signal.aborted) return;
        await sleep(pauseAfter(error, failures), stopping.signal);
        failures += 1;
      }
    }
  };
  const pauseAfter = (error: unknown, failures: number) => {
    if (isUnsupported(error)) {
      if (failures === 0) log.info('auth has no list of revoked tokens: they are valid until they expire');
      isLoaded = true;
      settle(({ resolve }) => resolve());
      return UNSUPPORTED_PAUSE_MS;
    }
    if (failures === 0)
      log.warn({ err: error }, 'the revoked tokens cannot be read: the list stays as it is');
    settle(({ reject }) => reject(error));
    return backoffMs(failures);
  };
  void run();
  return {
    loaded: () =>
      isLoaded
        ? Promise.resolve()
        : new Promise<void>((resolve, reject) => {
            waiting.push({ resolve, reject });
          }),
    stop: () => stopping.abort(),
  };
}

function isUnsupported(error: unknown): boolean {
  return error instanceof NeighbourError && error.code === status.UNIMPLEMENTED;
}
