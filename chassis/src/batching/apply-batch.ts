/**
 * How both consumers get a batch applied: all in one transaction when nothing is wrong; again and again while the
 * surroundings are at fault; halved until the culprit stands alone when a message is. A message that keeps failing alone
 * becomes a dead letter, so that the others flow on. A message whose rows somebody else has locked waits aside, and with it the later
 * ones of its key.
 */
import { status } from '@grpc/grpc-js';
import { backoffMs, sleep } from '../process/backoff.ts';
import { isLockTimeout, isTransient, sqlStateOf } from '../sql-state.ts';
import type { Logger } from '../telemetry/log.ts';
import { failed, ok, type Result } from './batcher.ts';

export interface Delivery<M, T> {
  message: M;
  value: T;
  /** Turns true when the broker has given the message to somebody else: working on it further is of no use. */
  claim: Claim;
}

export interface Claim {
  lost: boolean;
  /** Told when a lock holds up the message, alone or with its batch. */
  heldUp?(): void;
}

/** The consumer stops before this message was applied. It stays with the broker, and comes again. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';
  constructor() {
    super('The consumer stopped before this message was applied.');
  }
}

export interface ApplyOptions<M, T> {
  /** One transaction for all items. It must be idempotent: every item may come more than once. */
  apply(items: T[]): Promise<void>;
  /** Resolves when the message is safely stored as a dead letter. */
  deadLetter(message: M, reason: DeadLetterReason, error: unknown): Promise<void>;
  /** Ends the retrying, not the attempt that runs. */
  stopping: AbortSignal;
}

export type DeadLetterReason = 'UNDECODABLE' | 'REJECTED';

const ATTEMPTS_ALONE = 3;

/** At most so often it is logged that locks hold up messages: each would say it with each attempt. */
const HELD_UP_LOG_MS = 10_000;

/** A flush for the batcher, with what it needs to set aside messages that a lock holds up. An item is ok once it is applied or is a dead letter. */
export function createApply<M, T>(options: ApplyOptions<M, T>, log: Logger) {
  const { apply, deadLetter, stopping } = options;
  let troubled = false;
  let lastHeldUpLog = Number.NEGATIVE_INFINITY;

  function noteHeldUp(error: unknown): void {
    if (performance.now() - lastHeldUpLog < HELD_UP_LOG_MS) return;
    log.warn(
      { err: error },
      'somebody holds a lock that messages need; they wait for it, and the others go on',
    );
    lastHeldUpLog = performance.now();
  }

  function noteTrouble(error: unknown): void {
    if (!troubled) log.warn({ err: error }, 'messages cannot be applied for now; retrying until they can');
    troubled = true;
  }

  function noteSuccess(): void {
    if (troubled) log.info('messages are applied again');
    troubled = false;
  }

  async function settle(deliveries: Delivery<M, T>[]): Promise<void> {
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
        if (mayHeal(error)) noteTrouble(error);
        else if (live.length > 1) return settleHalves(live);
        else {
          refusals += 1;
          if (refusals >= ATTEMPTS_ALONE) return bury(first.message, 'REJECTED', error);
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

  /** Keeps at it until the dead letter is stored: a message must not be lost on its way out. */
  async function bury(message: M, reason: DeadLetterReason, error: unknown): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await deadLetter(message, reason, error);
      } catch (publishError) {
        noteTrouble(publishError);
        if (stopping.aborted) throw new StoppedError();
        await sleep(backoffMs(attempt), stopping);
      }
    }
  }

  async function flush(deliveries: Delivery<M, T>[]): Promise<Result<void>[]> {
    try {
      await settle(deliveries);
      return deliveries.map(() => ok(undefined));
    } catch (error) {
      // Some of the batch may be applied by now; they come again with the rest, and are recognised as known.
      return deliveries.map(() => failed(error));
    }
  }

  return { flush, bury, aside: { isHeldUp: isLockTimeout, stopping } };
}

/** SQLSTATE classes that blame the set-up, not the message: log-in, missing database, missing table or right, a bug in the server. */
const MISCONFIGURED_CLASSES = ['28', '3D', '42', 'XX'];
const BUSY_NEIGHBOUR: readonly unknown[] = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
];

/** Whether the same batch may succeed later without any change to it. A message is only blamed for what is left. */
export function mayHeal(error: unknown): boolean {
  if (error === null || typeof error !== 'object') return false;
  const state = sqlStateOf(error);
  if (isTransient(error)) return true;
  if (state !== undefined && MISCONFIGURED_CLASSES.includes(state.slice(0, 2))) return true;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return BUSY_NEIGHBOUR.includes(code) || mayHeal(cause);
}
