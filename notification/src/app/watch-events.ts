/** Tells readers that wait when there are new events. One query serves all waiting readers. Without readers there is no query. */
import { type Logger, type Repetition, repeat } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { newestPosition } from '../store/event-lists.ts';

/** Events of other instances are noticed after this time. */
const LOOK_EVERY_MS = 200;

export interface EventWatch {
  waitForEvents(position: bigint, ms: number): Promise<void>;
  /** Runs one `read` at a time. Readers that are far behind read for seconds, and must not occupy the connections of everything else. */
  inTurn<T>(read: () => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

export function watchEvents(db: Kysely<Database>, log: Logger): EventWatch {
  const waiting = new Set<{ position: bigint; wake: () => void }>();
  const looking: Repetition = repeat(
    'the watch of events',
    LOOK_EVERY_MS,
    async () => {
      if (waiting.size === 0) return false;
      const newest = await newestPosition(db);
      for (const each of waiting) if (newest > each.position) each.wake();
      return false;
    },
    log,
  );
  let last: Promise<unknown> = Promise.resolve();
  return {
    inTurn(read) {
      const done = last.then(read);
      last = done.catch(() => undefined);
      return done;
    },
    waitForEvents: (position, ms) =>
      new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          waiting.delete(each);
          resolve();
        };
        const each = { position, wake };
        const timer = setTimeout(wake, ms);
        waiting.add(each);
      }),
    async stop() {
      for (const { wake } of waiting) wake();
      await looking.stop();
    },
  };
}
