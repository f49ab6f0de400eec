/** Background work that is done again and again until it is stopped. */

import type { Logger } from '../telemetry/log.ts';
import { sleep } from './backoff.ts';

export interface Repetition {
  /** Resolves when the round under way is over; no other one follows. */
  stop(): Promise<void>;
}

/** Does `round` at once and then every `everyMs`; at once again as long as it returns true ("there is more"). A round that fails is logged. */
export function repeat(
  what: string,
  everyMs: number,
  round: () => Promise<boolean>,
  log: Logger,
): Repetition {
  const stopping = new AbortController();

  const run = async () => {
    while (!stopping.signal.aborted) {
      const more = await round().catch((error: unknown) => {
        log.warn({ err: error }, `${what} failed, trying again`);
        return false;
      });
      if (!more) await sleep(everyMs, stopping.signal);
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
