/** Background work that is done again and again until it is stopped. */
import type { Logger } from '@payflowx/chassis';

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
  let stopped = false;
  let wake = () => {};
  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, everyMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const run = async () => {
    while (!stopped) {
      const more = await round().catch((error: unknown) => {
        log.warn({ err: error }, `${what} failed, trying again`);
        return false;
      });
      if (!more && !stopped) await pause();
    }
  };

  const running = run();
  return {
    stop() {
      stopped = true;
      wake();
      return running;
    },
  };
}
