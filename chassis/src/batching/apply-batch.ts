/**
 * Applies a batch for both consumers. Normally all messages are applied in one transaction. After a transient failure the batch
 * is retried. After any other failure it is halved until the failing message is found.
 *
 * A message that fails on its own becomes a dead letter, so that the others continue. A message whose rows are locked is set
 * aside, together with the later messages of its key.
 */
import { status } from '@grpc/grpc-js';
import { backoffMs, sleep } from '../process/backoff.ts';
import { isLockTimeout, isTransient, sqlStateOf } from '../sql-state.ts';
import type { Logger } from '../telemetry/log.ts';
import { runInTrace, traceFrom } from '../telemetry/trace.ts';
import { failed, ok, type Result } from './batcher.ts';

export interface Delivery<M, T> {
  message: M;
  value: T;
  /** True once the broker has delivered the message to another consumer. Working on it further is useless. */
  claim: Claim;
}

export interface Claim {
  lost: boolean;
  /** Called when a lock holds up the message, alone or with its batch. */
  heldUp?(): void;
}

/** The consumer stopped before it applied this message. The message stays at the broker and is redelivered. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';
  constructor() {
    super('The consumer stopped before this message was applied.');
  }
}

export interface ApplyOptions<M, T> {
  /** Applies all items in one transaction. It must be idempotent: an item may be redelivered. */
  apply(items: T[]): Promise<void>;
  /** Resolves when the message is stored as a dead letter. */
  deadLetter(message: M, reason: DeadLetterReason, error: unknown): Promise<void>;
  /** Returns the traceparent header of a message, which names the request that caused it. */
  traceparentOf(message: M): string | undefined;
  /** Ends the retries, but not the current attempt. */
  stopping: AbortSignal;
}

export type DeadLetterReason = 'UNDECODABLE' | 'REJECTED';

const ATTEMPTS_ALONE = 3;

/** Milliseconds between log lines about messages that wait for locks. Without this limit, each attempt would log one. */
const HELD_UP_LOG_MS = 10_000;

/**
 * Returns the flush of a batcher, with the options to set aside messages that a lock holds up. An item is ok once it is applied
 * or is a dead letter.
 */
export function createApply<M, T>(options: ApplyOptions<M, T>, log: Logger) {
  const { apply, deadLetter, traceparentOf, stopping } = options;
  let isRetrying = false;
  let lastHeldUpLog = Number.NEGATIVE_INFINITY;

  /** Runs the work for one message in its trace, so that log lines and calls have it. A batch of many runs in the trace of none. */
  function inTraceOf<R>(message: M, work: () => Promise<R>): Promise<R> {
    const traceparent = traceparentOf(message);
    return traceparent === undefined ? work() : runInTrace(traceFrom(traceparent), work);
  }

  function noteHeldUp(error: unknown): void {
    if (performance.now() - lastHeldUpLog < HELD_UP_LOG_MS) return;
    log.warn(
      { err: error },
      'another transaction holds a lock that messages need; they are retried, and the others continue',
    );
    lastHeldUpLog = performance.now();
  }

  function noteRetry(error: unknown): void {
    if (!isRetrying) log.warn({ err: error }, 'messages cannot be applied at the moment; retrying');
    isRetrying = true;
  }

  function noteSuccess(): void {
    if (isRetrying) log.info('messages are applied again');
    isRetrying = false;
  }

  function settle(deliveries: Delivery<M, T>[]): Promise<void> {
    const [first, ...others] = deliveries;
    if (first === undefined || others.length > 0) return settleTogether(deliveries);
    return inTraceOf(first.message, () => settleTogether(deliveries));
  }

  async function settleTogether(deliveries: Delivery<M, T>[]): Promise<void> {
    for (let attempt = 0, refusals = 0; ; attempt += 1) {
      const live = deliveries.filter((delivery) => !delivery.claim.lost);
      const [first] = live;
      if (first === undefined) return;
      try {
        await apply(live.map((delivery) => delivery.value));
        return noteSuccess();
      } catch (error) {
        if (isLockTimeout(error) && !stopping.aborted) {
          noteHeldUp(error);
          for (const { claim } of live) claim.heldUp?.();
          throw error;
        }
        if (isRetryableError(error)) noteRetry(error);
        else if (live.length > 1) return settleHalves(live);
        else {
          refusals += 1;
          if (refusals >= ATTEMPTS_ALONE) return storeDeadLetter(first.message, 'REJECTED', error);
        }
      }
      if (stopping.aborted) throw new StoppedError();
      await sleep(backoffMs(attempt), stopping);
    }
  }

  async function settleHalves(deliveries: Delivery<M, T>[]): Promise<void> {
    const middle = Math.ceil(deliveries.length / 2);
    await settle(deliveries.slice(0, middle));
    await settle(deliveries.slice(middle));
  }

  /** Retries until the dead letter is stored, so that the message is not lost. */
  function storeDeadLetter(message: M, reason: DeadLetterReason, error: unknown): Promise<void> {
    return inTraceOf(message, async () => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await deadLetter(message, reason, error);
        } catch (publishError) {
          noteRetry(publishError);
          if (stopping.aborted) throw new StoppedError();
          await sleep(backoffMs(attempt), stopping);
        }
      }
    });
  }

  async function flush(deliveries: Delivery<M, T>[]): Promise<Result<void>[]> {
    try {
      await settle(deliveries);
      return deliveries.map(() => ok(undefined));
    } catch (error) {
      // Part of the batch may be applied. It is redelivered with the rest, and deduplicated.
      return deliveries.map(() => failed(error));
    }
  }

  return { flush, storeDeadLetter, aside: { isHeldUp: isLockTimeout, stopping } };
}

/**
 * SQLSTATE classes of errors in the configuration, not in the message: login, missing database, missing table or right, a bug in
 * the server.
 */
const MISCONFIGURED_CLASSES = ['28', '3D', '42', 'XX'];
const TRANSIENT_CODES: readonly unknown[] = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
];

/** True if the same batch may succeed later without a change. Only other errors count as errors of a message. */
export function isRetryableError(error: unknown): boolean {
  if (error === null || typeof error !== 'object') return false;
  const state = sqlStateOf(error);
  if (isTransient(error)) return true;
  if (state !== undefined && MISCONFIGURED_CLASSES.includes(state.slice(0, 2))) return true;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return TRANSIENT_CODES.includes(code) || isRetryableError(cause);
}
