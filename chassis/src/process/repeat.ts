/** Background work that repeats until it is stopped. */

import type { Logger } from '../telemetry/log.ts';
import { backoffMs, sleep } from './backoff.ts';

export interface Repetition {
  /** Resolves when the current round is finished. No other round follows. */
  stop(): Promise<void>;
}

/**
 * The longest pause after failed rounds: the larger of 8 s and 10 intervals. Frequent work has the 8 s, so that it continues soon
 * after the cause is gone.
 */
const MAX_PAUSE_MS = 8_000;
const MAX_PAUSE_IN_ROUNDS = 10;

/**
 * Runs `round` at once and then every `everyMs`. Runs it again at once if it returns true ("there is more"). A failed round is
 * logged, and the pause grows with each further failure.
 */
export function repeat(
  name: string,
  everyMs: number,
  round: () => Promise<boolean>,
  log: Logger,
): Repetition {
  const stopping = new AbortController();

  const maxMs = Math.max(MAX_PAUSE_MS, MAX_PAUSE_IN_ROUNDS * everyMs);
  const run = async () => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        const more = await round();
        failures = 0;
        if (!more) await sleep(everyMs, stopping.signal);
      } catch (error) {
        log.warn({ err: error }, `${name} failed, retrying`);
        const grown = backoffMs(failures, { minMs: everyMs, maxMs });
        await sleep(Math.max(everyMs, grown), stopping.signal);
        failures += 1;
      }
    }
  };

  const running = run();
  return {
    stop() {
      stopping.abort();
      return running;
    },
  };
}
