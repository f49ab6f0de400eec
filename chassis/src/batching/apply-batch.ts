/**
 * Applies a batch for both consumers. Normally all messages are applied in one transaction. After a transient failure the batch
 * is retried. After any other failure it is halved until the failing message is found.
 *
 * A message that fails on its own becomes a dead letter, so that the others continue. If many in a row fail, the fault is not in
 * the messages. Then no more become dead letters: they are retried, and the consumer reports a problem. A message whose rows are
 * locked is set aside, together with the later messages of its key.
 */
import { status } from '@grpc/grpc-js';
import { backoffMs, sleep } from '../process/backoff.ts';
import { createOutage } from '../process/outage.ts';
import { isLockTimeout, isStatementTimeout, isTransient, sqlStateOf } from '../sql-state.ts';
import type { Logger } from '../telemetry/log.ts';
import { counter } from '../telemetry/metrics.ts';
import { runInTrace, traceFrom } from '../telemetry/trace.ts';
import { recordDeadLetter } from './batch-spans.ts';
import { failed, ok, type Result } from './batcher.ts';
import { splitOnFailure } from './split-on-failure.ts';

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
  /** The topic or queue, in the metrics. Without it, dead letters are not counted. */
  source?: string;
  /** Ends the retries, but not the current attempt. */
  stopping: AbortSignal;
  /** Maximum number of dead letters without an applied message between them. Default 20. */
  maxDeadLettersInARow?: number;
}

const DEAD_LETTER_REASONS = ['UNDECODABLE', 'REJECTED'] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

const deadLetters = counter('payflowx.dead_letters', {
  description: 'Messages that could not be decoded or applied, and were stored as dead letters',
});

const ATTEMPTS_ALONE = 3;

/** More dead letters in a row mean a fault of the service or the sender. Burying the whole stream would only hide it. */
const MAX_DEAD_LETTERS_IN_A_ROW = 20;

/** Milliseconds between log lines about messages that wait for locks. Without this limit, each attempt would log one. */
const HELD_UP_LOG_MS = 10_000;

/**
 * Returns the flush of a batcher, with the options to set aside messages that a lock holds up. An item is ok once it is applied
 * or is a dead letter. `problem` describes the reason why no message is applied at present.
 */
export function createApply<M, T>(options: ApplyOptions<M, T>, log: Logger) {
  const { apply, deadLetter, traceparentOf, stopping } = options;
  const { maxDeadLettersInARow = MAX_DEAD_LETTERS_IN_A_ROW, source } = options;
  if (source !== undefined) for (const reason of DEAD_LETTER_REASONS) deadLetters.add(0, { source, reason });
  const retries = createOutage();
  let lastHeldUpLog = Number.NEGATIVE_INFINITY;
  let deadLettersInARow = 0;
  let isHalted = false;
  let gaveUp = false;

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
    if (retries.begin()) log.warn({ err: error }, 'messages cannot be applied at the moment; retrying');
  }

  function noteSuccess(): void {
    if (retries.end() || isHalted) log.info('messages are applied again');
    deadLettersInARow = 0;
    isHalted = false;
  }

  /** Returns true if one more message may become a dead letter. If not, the caller retries. */
  function mayBury(error: unknown): boolean {
    if (deadLettersInARow < maxDeadLettersInARow) {
      deadLettersInARow += 1;
      return true;
    }
    if (!isHalted)
      log.error(
        { err: error, deadLetters: deadLettersInARow },
        'too many dead letters in a row; the consumer keeps the next messages, and retries them until one is applied',
      );
    isHalted = true;
    return false;
  }

  async function pauseUnlessStopping(attempt: number): Promise<void> {
    if (stopping.aborted) throw new StoppedError();
    await sleep(backoffMs(attempt), stopping);
  }

  function applyInTrace(deliveries: readonly Delivery<M, T>[]): Promise<Result<void>[]> {
    const [first, ...others] = deliveries;
    if (first === undefined || others.length > 0) return applyPatiently(deliveries);
    return inTraceOf(first.message, () => applyPatiently(deliveries));
  }

  /** Resolves when the deliveries are applied. A single one may become a dead letter instead. */
  async function applyPatiently(deliveries: readonly Delivery<M, T>[]): Promise<Result<void>[]> {
    for (let attempt = 0, refusals = 0; ; attempt += 1) {
      const live = deliveries.filter((delivery) => !delivery.claim.lost);
      const [first] = live;
      if (first === undefined) return allOk(deliveries);
      try {
        await apply(live.map((delivery) => delivery.value));
        noteSuccess();
        return allOk(deliveries);
      } catch (error) {
        if (isLockTimeout(error) && !stopping.aborted) {
          noteHeldUp(error);
          for (const { claim } of live) claim.heldUp?.();
          throw error;
        }
        const isAlone = deliveries.length === 1;
        if (isRetryableError(error) || (isAlone && isStatementTimeout(error))) noteRetry(error);
        else if (!isAlone) throw error;
        else {
          refusals += 1;
          if (refusals >= ATTEMPTS_ALONE && mayBury(error)) {
            await storeDeadLetter(first.message, 'REJECTED', error);
            return allOk(deliveries);
          }
        }
      }
      await pauseUnlessStopping(attempt);
    }
  }

  /** Retries until the dead letter is stored, so that the message is not lost. */
  async function storeDeadLetter(message: M, reason: DeadLetterReason, error: unknown): Promise<void> {
    const startedAt = performance.now();
    for (let attempt = 0; ; attempt += 1) {
      try {
        await deadLetter(message, reason, error);
        if (source !== undefined) {
          deadLetters.add(1, { source, reason });
          recordDeadLetter(traceparentOf(message), startedAt, { source, reason });
        }
        return;
      } catch (publishError) {
        noteRetry(publishError);
        await pauseUnlessStopping(attempt);
      }
    }
  }

  /** Stores a message that cannot be decoded. Waits while no more messages may become dead letters. */
  async function storeUndecodable(message: M, error: unknown): Promise<void> {
    for (let attempt = 0; !mayBury(error); attempt += 1) await pauseUnlessStopping(attempt);
    return inTraceOf(message, () => storeDeadLetter(message, 'UNDECODABLE', error));
  }

  async function flush(deliveries: Delivery<M, T>[]): Promise<Result<void>[]> {
    try {
      // Earlier messages were given up during the shutdown. They are redelivered, and these must not be applied before them.
      if (gaveUp) throw new StoppedError();
      return await splitOnFailure(deliveries, applyInTrace, isMessageError);
    } catch (error) {
      gaveUp ||= error instanceof StoppedError;
      // Part of the batch may be applied. It is redelivered with the rest, and deduplicated.
      return deliveries.map(() => failed(error));
    }
  }

  function problem(): string | undefined {
    if (isHalted) return `${deadLettersInARow} dead letters in a row`;
    return retries.isLong() ? 'messages cannot be applied' : undefined;
  }

  return { flush, storeUndecodable, problem, aside: { isHeldUp: isLockTimeout, stopping } };
}

const allOk = (items: readonly unknown[]): Result<void>[] => items.map(() => ok(undefined));

/** All other errors of a batch are retried before, so the halves are only applied after an error of one message. */
const isMessageError = (error: unknown) => !isLockTimeout(error) && !(error instanceof StoppedError);

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
