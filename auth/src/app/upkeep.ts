/** Runs periodic tasks. Every instance runs them, so each task must be harmless when others run it too. */
import type { Logger } from '@payflowx/chassis';

export interface Upkeep {
  /** Waits for the task in progress. */
  stop(): Promise<void>;
}

/**
 * Runs `tasks` one after the other, at once and then every `everyMs`. A task that fails is logged and tried again the next time.
 */
export function startUpkeep(
  tasks: Record<string, () => Promise<unknown>>,
  { everyMs }: { everyMs: number },
  log: Logger,
): Upkeep {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const round = async () => {
    for (const [task, run] of Object.entries(tasks)) {
      if (stopped) return;
      await run().catch((error: unknown) =>
        log.warn({ err: error, task }, 'an upkeep task failed and will be retried'),
      );
    }
    if (!stopped) timer = setTimeout(start, everyMs);
  };
  let current = Promise.resolve();
  function start() {
    current = round();
  }
  start();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await current;
    },
  };
}
