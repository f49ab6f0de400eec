/** Watches how long events wait in the outbox. While they wait, requests are served, but the consumers of the events are behind. */
import type { Kysely } from 'kysely';
import { type Repetition, repeat } from '../process/repeat.ts';
import type { Logger } from '../telemetry/log.ts';
import { oldestUnpublishedMs } from './outbox-backlog.ts';

export interface OutboxWatch extends Repetition {
  /** The problem in words, while an event waits for too long. */
  problem(): string | undefined;
}

const CHECK_EVERY_MS = 10_000;
/** An event normally waits for milliseconds. A restart of a broker, or the takeover of a relay, takes seconds. */
const TOO_LONG_MS = 60_000;

export function watchOutbox<DB>(
  { db, destinations, log }: { db: Kysely<DB>; destinations: readonly string[]; log: Logger },
  { everyMs = CHECK_EVERY_MS, tooLongMs = TOO_LONG_MS } = {},
): OutboxWatch {
  let late: string[] = [];
  const watch = repeat(
    'reading the outbox',
    everyMs,
    async () => {
      const ages = await Promise.all(destinations.map((destination) => oldestUnpublishedMs(db, destination)));
      late = destinations.filter((_, index) => (ages[index] ?? 0) > tooLongMs);
      return false;
    },
    log,
  );
  return {
    ...watch,
    problem: () => (late.length > 0 ? `events wait for ${late.join(' and ')}` : undefined),
  };
}
