/**
 * Items that left their batch because something they need is locked. They are tried again, with pauses and in flushes of their own, so
 * that neither their batch nor any later one waits for them.
 */
import { retry } from '../process/retry.ts';

export type Waiting<I, O> = { item: I; resolve(value: O): void; reject(error: unknown): void };

export interface AsideOptions<I> {
  /** Whether an item failed only because something is locked. A flush that rejects so is tried again item by item. */
  isHeldUp(error: unknown): boolean;
  /** The most items in one flush. More than the default of one only where each item has its own result. */
  maxSize?: number;
  /** Flushes at once, beside those of the main queue. Default 2: one that waits for a lock, and one that goes on. */
  concurrency?: number;
  /**
   * When nobody waits for the item any more: it then fails with its last error, but not before it was tried aside once, for its batch may
   * have failed because of another. Without, it is tried until it succeeds.
   */
  deadlineOf?(item: I): Date;
  /** Items of one key keep their order: as long as one is aside, those after it wait behind it. Without, each stands for itself. */
  keyOf?(item: I): string;
  /** Told each time that an item was held up apart from its batch: then it is this item that the lock is about. */
  onHeldUp?(item: I): void;
  /** Ends the pauses, not the attempt that runs. `flush` must then fail with another error. */
  stopping?: AbortSignal;
}

export interface Aside<I, O> {
  /** Whether an earlier item of the same key is aside. */
  blocks(item: I): boolean;
  /** Settles the item some time. `error`: what it has failed with so far. */
  take(waiting: Waiting<I, O>, error?: unknown): Promise<void>;
}

export function createAside<I, O>(
  { isHeldUp, deadlineOf, keyOf, onHeldUp, stopping }: AsideOptions<I>,
  submit: (item: I) => Promise<O>,
): Aside<I, O> {
  /** By key: resolves when its last item is settled. */
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
