/**
 * Group commit in the application. While one flush runs, the next requests are collected. They are flushed together as soon as it
 * returns. A single request is flushed at once: batching adds no latency when idle, with or without a pace.
 */
import { outsideRequests } from '../telemetry/trace.ts';
import { type AsideOptions, createAside, type Waiting } from './aside.ts';
import { measureFlush } from './batch-metrics.ts';
import { type BatchSpanOptions, recordedFlush, traceOfItem } from './batch-spans.ts';
import { createCrowd } from './crowd.ts';

/** The result of one item. An error of one item does not affect the others in the batch. */
export type Result<O> = { ok: true; value: O } | { ok: false; error: unknown };

export const ok = <O>(value: O): Result<O> => ({ ok: true, value });
export const failed = (error: unknown): Result<never> => ({ ok: false, error });

export interface BatcherOptions<I, O> {
  /** The name in the metrics and traces. Without it, nothing is measured or recorded. */
  name?: string;
  span?: BatchSpanOptions<I>;
  /** The maximum number of items in one flush. */
  maxSize?: number;
  /** The maximum number of concurrent flushes. With one, items keep their order. */
  concurrency?: number;
  /**
   * Minimum milliseconds between the starts of two flushes, unless a batch is full; 0: none. For background services, because a
   * flush costs nearly the same with two items as with fifty.
   */
  paceMs?: number;
  /**
   * True if the pace only applies while another caller can still join the batch: a flush runs, and fewer callers wait than lately. For
   * the request path, so that neither a single caller nor a fixed number of them waits without a use.
   */
  pacesOnlyWhileBusy?: boolean;
  /** Handling of items that a lock holds up. Without it, they fail. */
  aside?: AsideOptions<I>;
  /** The maximum number of queued items; further items are refused. Without it, the queue has no bound. */
  maxQueued?: number;
  /** Processes a batch and returns one result for each item, in order. If it rejects, every item of the batch fails. */
  flush(items: I[]): Promise<Result<O>[]>;
  /**
   * Processes items that are aside, instead of `flush`. It should wait for a lock only briefly: its own retries follow, and an item
   * that nothing holds up any more waits behind it.
   */
  flushAside?(items: I[]): Promise<Result<O>[]>;
}

export interface Batcher<I, O> {
  /**
   * Resolves or rejects with this item's own result. Rejects with BatcherClosedError after `drain` was called, and with
   * BatcherFullError if `maxQueued` items are queued. In both cases the item was not processed.
   */
  submit(item: I): Promise<O>;
  /** Refuses new items, and resolves when all accepted items are done. */
  drain(): Promise<void>;
}

export class BatcherClosedError extends Error {
  override readonly name = 'BatcherClosedError';
  constructor() {
    super('The service is stopping and accepts no more work.');
  }
}

export class BatcherFullError extends Error {
  override readonly name = 'BatcherFullError';
  constructor() {
    super('The service is overloaded and accepts no more work at the moment.');
  }
}

export function createBatcher<I, O>(options: BatcherOptions<I, O>): Batcher<I, O> {
  const { maxSize = 200, concurrency = 1, paceMs = 0, pacesOnlyWhileBusy = false, flush } = options;
  const { maxQueued = Number.POSITIVE_INFINITY, flushAside = flush, name, span = {} } = options;
  const queue: Waiting<I, O>[] = [];
  const drained: (() => void)[] = [];
  let running = 0;
  let scheduled = false;
  let closed = false;
  let setAside = 0;
  let lastStart = Number.NEGATIVE_INFINITY;
  let pause: NodeJS.Timeout | undefined;
  /** Items in running flushes. */
  let flushing = 0;
  /** The callers that wait for a flush or for its result. Only a pace that ends with them needs to know. */
  const crowd = pacesOnlyWhileBusy ? createCrowd() : undefined;
  const aside =
    options.aside &&
    createAside(
      options.aside,
      createBatcher<I, O>({ maxSize: 1, concurrency: 2, ...options.aside, flush: flushAside }).submit,
    );

  /** Waits for the end of the current tick, so that requests from one socket event are in the same batch. */
  function schedule(): void {
    if (scheduled || running >= concurrency || queue.length === 0) return;
    if (pause && pauseMs() > 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      startFlushes();
    });
  }

  /** Milliseconds that the queued items still have to wait for the pace. */
  function pauseMs(): number {
    const isFree = crowd !== undefined && (running === 0 || crowd.isComplete());
    return isFree || closed || queue.length >= maxSize ? 0 : lastStart + paceMs - performance.now();
  }

  function startFlushes(): void {
    clearTimeout(pause);
    pause = undefined;
    while (running < concurrency && queue.length > 0) {
      const waitMs = pauseMs();
      if (waitMs > 0) {
        pause = setTimeout(startFlushes, waitMs);
        return;
      }
      lastStart = performance.now();
      running += 1;
      const batch = queue.splice(0, maxSize);
      void outsideRequests(() => runFlush(batch)).finally(() => {
        running -= 1;
        // Items were collected during the whole flush, so waiting for another tick is unnecessary.
        startFlushes();
        noteIdle();
      });
    }
  }

  const isIdle = () => running === 0 && queue.length === 0 && setAside === 0;

  function noteIdle(): void {
    if (isIdle()) for (const resolve of drained.splice(0)) resolve();
  }

  function putAside(waiting: Waiting<I, O>, error?: unknown): void {
    setAside += 1;
    void aside?.take(waiting, error).finally(() => {
      setAside -= 1;
      noteIdle();
    });
  }

  async function runFlush(gathered: Waiting<I, O>[]): Promise<void> {
    const batch = setAside === 0 ? gathered : withoutBlocked(gathered);
    if (batch.length === 0) return;
    flushing += batch.length;
    try {
      const flushItems = () =>
        flush(batch.map((waiting) => waiting.item)).finally(() => {
          flushing -= batch.length;
          crowd?.shrank();
        });
      const results = await (name === undefined ? flushItems() : observed(name, batch, flushItems));
      batch.forEach((waiting, index) => {
        settle(waiting, results[index]);
      });
    } catch (error) {
      for (const waiting of batch) fail(waiting, error);
    }
  }

  function observed(name: string, batch: Waiting<I, O>[], flushItems: () => Promise<Result<O>[]>) {
    const { traceOf: _, ...shared } = span;
    const recorded = recordedFlush({ name, items: batch, span: shared }, options.aside?.isHeldUp, flushItems);
    return measureFlush(name, batch, recorded);
  }

  function withoutBlocked(gathered: Waiting<I, O>[]): Waiting<I, O>[] {
    return gathered.filter((waiting) => {
      const isBlocked = aside?.blocks(waiting.item);
      if (isBlocked) putAside(waiting);
      return !isBlocked;
    });
  }

  function settle(waiting: Waiting<I, O>, result: Result<O> | undefined): void {
    if (result === undefined)
      waiting.reject(new Error('The flush returned fewer results than it had items.'));
    else if (result.ok) waiting.resolve(result.value);
    else fail(waiting, result.error);
  }

  function fail(waiting: Waiting<I, O>, error: unknown): void {
    if (options.aside?.isHeldUp(error)) putAside(waiting, error);
    else waiting.reject(error);
  }

  return {
    submit(item) {
      if (closed) return Promise.reject(new BatcherClosedError());
      if (queue.length >= maxQueued) return Promise.reject(new BatcherFullError());
      return new Promise<O>((resolve, reject) => {
        const since = performance.now();
        const trace = name === undefined ? undefined : traceOfItem(item, span);
        queue.push({ item, resolve, reject, since, trace });
        crowd?.grew(queue.length + flushing, since);
        schedule();
      });
    },
    drain() {
      closed = true;
      startFlushes();
      if (isIdle()) return Promise.resolve();
      return new Promise((resolve) => drained.push(resolve));
    },
  };
}
