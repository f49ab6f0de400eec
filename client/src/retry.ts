/**
 * Sends a request until its outcome is known. What is safe to send again depends on the request: reading always is, a POST
 * with an Idempotency-Key is (the same key every time), any other only where the gateway refused it before doing anything.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { PayFlowXError } from './errors.ts';

export interface Patience {
  /** From now on, for how long to try. */
  patienceMs: number;
  /** Whether it may be sent again although it may have been done: a read, or one that has a key. */
  repeatable: boolean;
  signal: AbortSignal | undefined;
}

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;

/** Too many requests: the gateway refused it, nothing was done. */
const REFUSED_EARLY = 429;
/**
 * Something in between gave up, a connection between two services broke, which may have been after a commit, or the outcome is not
 * known yet: 202 is a definite answer only for a caller that stops waiting.
 */
const NOT_KNOWN = [202, 502, 503, 504];

/** Resolves with the last answer. Rejects with what `send` rejects with once time is over, or at once if that was aborted. */
export async function sendUntilKnown(send: () => Promise<Response>, patience: Patience): Promise<Response> {
  const until = performance.now() + patience.patienceMs;
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await send().catch((error: unknown) => ({ error }));
    if (!isWorthAnother(outcome, patience)) return answerOf(outcome);
    const delay = Math.max(askedDelayMs(outcome), backOffMs(attempt));
    if (performance.now() + delay > until) return answerOf(outcome);
    if (!('error' in outcome)) await outcome.body?.cancel();
    await wait(delay, undefined, { signal: patience.signal });
  }
}

type Outcome = Response | { error: unknown };

function isWorthAnother(outcome: Outcome, { repeatable, signal }: Patience): boolean {
  if (signal?.aborted) return false;
  // A login that was refused will be again.
  if ('error' in outcome) return repeatable && !(outcome.error instanceof PayFlowXError);
  if (outcome.status === REFUSED_EARLY) return true;
  if (!repeatable) return false;
  return NOT_KNOWN.includes(outcome.status) || isNotYet(outcome);
}

/** Such as a request with this key that is still being worked on, or a receipt not sealed yet. Any other 409 is an answer. */
function isNotYet({ status, headers }: Response): boolean {
  return status === 409 && headers.has('retry-after');
}

function askedDelayMs(outcome: Outcome): number {
  if ('error' in outcome) return 0;
  const seconds = Number(outcome.headers.get('retry-after'));
  return Number.isFinite(seconds) ? seconds * 1_000 : 0;
}

/** Doubling, and scattered over the upper half so that clients who failed together do not come back together. */
function backOffMs(attempt: number): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS);
  return delay * (0.5 + Math.random() / 2);
}

function answerOf(outcome: Outcome): Response {
  if ('error' in outcome) throw outcome.error;
  return outcome;
}
