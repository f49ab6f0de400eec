/**
 * Sends a request until its outcome is known. Reads, and POSTs with an Idempotency-Key, are safe to repeat. Other requests are
 * repeated only if the gateway refused them before anything was done.
 */
import { PayFlowXError } from './errors.ts';

export interface RetryOptions {
  /** Milliseconds to retry, from now on. */
  retryTimeoutMs: number;
  /** True if the request may be repeated although it may have been executed: a read, or a request with a key. */
  repeatable: boolean;
  signal: AbortSignal | undefined;
}

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;

/** Too many requests: the gateway refused it before anything was done. */
const REFUSED_EARLY = 429;
/**
 * The request may have been done: a proxy gave up, a connection between two services broke, perhaps after a commit, or the
 * outcome is not known yet (202).
 */
const UNKNOWN_OUTCOME = [202, 502, 503, 504];

/**
 * Resolves with the last response. If `send` fails, rejects with its error after the time is over, or at once if the call was
 * aborted.
 */
export async function sendUntilKnown(
  send: () => Promise<Response>,
  retryOptions: RetryOptions,
): Promise<Response> {
  const until = performance.now() + retryOptions.retryTimeoutMs;
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await send().catch((error: unknown) => ({ error }));
    if (!shouldRetry(outcome, retryOptions)) return answerOf(outcome);
    const delay = Math.max(askedDelayMs(outcome), backOffMs(attempt));
    if (performance.now() + delay > until) return answerOf(outcome);
    if (!('error' in outcome)) await outcome.body?.cancel();
    await wait(delay, retryOptions.signal);
  }
}

type Outcome = Response | { error: unknown };

function shouldRetry(outcome: Outcome, { repeatable, signal }: RetryOptions): boolean {
  if (signal?.aborted) return false;
  // A refused login would be refused again.
  if ('error' in outcome) return repeatable && !(outcome.error instanceof PayFlowXError);
  if (outcome.status === REFUSED_EARLY) return true;
  if (!repeatable) return false;
  return UNKNOWN_OUTCOME.includes(outcome.status) || isStillInProgress(outcome);
}

/** A request with this key is still in progress, or a receipt is not sealed yet. Any other 409 is final. */
function isStillInProgress({ status, headers }: Response): boolean {
  return status === 409 && headers.has('retry-after');
}

function askedDelayMs(outcome: Outcome): number {
  if ('error' in outcome) return 0;
  const seconds = Number(outcome.headers.get('retry-after'));
  return Number.isFinite(seconds) ? seconds * 1_000 : 0;
}

/** Doubles each time. Jitter over the upper half keeps clients that failed together from retrying together. */
function backOffMs(attempt: number): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS);
  return delay * (0.5 + Math.random() / 2);
}

function answerOf(outcome: Outcome): Response {
  if ('error' in outcome) throw outcome.error;
  return outcome;
}

/** Rejects with the signal's reason when the call is aborted. Written for browsers too, which have no `node:timers`. */
function wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
