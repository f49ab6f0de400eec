/**
 * Retries items that left their batch because of a lock. They are retried with pauses and in flushes of their own, so that
 * neither their batch nor a later one waits for them.
 */
import { retry } from '../process/retry.ts';
import type { Trace } from '../telemetry/trace.ts';

export type Waiting<I, O> = {
  item: I;
  /** When it was queued, by performance.now(). */
  since: number;
  /** The trace that it is recorded in. Undefined: none. */
  trace: Trace | undefined;
  resolve(value: O): void;
  reject(error: unknown): void;
};

export interface AsideOptions<I> {
  /**
   * True if an item failed only because of a lock. The items of a flush that rejects with such an error are retried one by one.
   */
  isHeldUp(error: unknown): boolean;
  /** The maximum number of items in one flush. Only set it above the default of 1 if each item has its own result. */
  maxSize?: number;
  /**
   * Concurrent flushes, in addition to those of the main queue. The default is 2: while one waits for a lock, the other
   * continues.
   */
  concurrency?: number;
  /**
   * After this time the caller no longer waits, and the item fails with its last error. It is retried at least once first,
   * because its batch may have failed because of another item. Without a deadline, it is retried until it succeeds.
   */
  deadlineOf?(item: I): Date;
  /** Items of one key keep their order: while one is aside, later ones wait for it. Without keys, items are independent. */
  keyOf?(item: I): string;
  /** Called each time that an item was held up apart from its batch. Then the lock concerns this item. */
  onHeldUp?(item: I): void;
  /** Ends the pauses, but not the current attempt. `flush` must then fail with another error. */
  stopping?: AbortSignal;
}

export interface Aside<I, O> {
  /** True if an earlier item of the same key is aside. */
  blocks(item: I): boolean;
  /** Retries the item until it is settled. `error`: its last error. */
  take(waiting: Waiting<I, O>, error?: unknown): Promise<void>;
}

export function createAside<I, O>(
  { isHeldUp, deadlineOf, keyOf, onHeldUp, stopping }: AsideOptions<I>,
  submit: (item: I) => Promise<O>,
): Aside<I, O> {
  /** By key: a promise that resolves when the last item of the key is settled. */
  const tails = new Map<string, Promise<void>>();

  function settle({ item, resolve, reject }: Waiting<I, O>, lastError: unknown): Promise<void> {
    const mayRetry = (error: unknown) => {
      const isItself = isHeldUp(error);
      if (isItself) onHeldUp?.(item);
      return isItself;
    };
    const options = { mayRetry, deadline: deadlineOf?.(item), stopping, lastError };
    return retry(() => submit(item), options).then(resolve, reject);
  }

  return {
    blocks: (item) => keyOf !== undefined && tails.has(keyOf(item)),
    async take(waiting, error) {
      const key = keyOf?.(waiting.item);
      if (key === undefined) return settle(waiting, error);
      const tail = (tails.get(key) ?? Promise.resolve()).then(() => settle(waiting, error));
      tails.set(key, tail);
      await tail;
      if (tails.get(key) === tail) tails.delete(key);
    },
  };
}
