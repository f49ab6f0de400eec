/** Watches how long events wait in the outbox. While they wait, payments work, but the ledger and the other consumers are behind. */
import { type Logger, type Repetition, repeat } from '@payflowx/chassis';
import { oldestUnpublishedMs } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { DESTINATIONS } from '../messages/payment-event.ts';
import type { Database } from '../store/database.ts';

export interface OutboxWatch extends Repetition {
  /** The problem in words, while an event waits for too long. */
  problem(): string | undefined;
}

const CHECK_EVERY_MS = 10_000;
/** An event normally waits for milliseconds. A restart of a broker, or the takeover of a relay, takes seconds. */
const TOO_LONG_MS = 60_000;

export function watchOutbox(
  { db, log }: { db: Kysely<Database>; log: Logger },
  { everyMs = CHECK_EVERY_MS, tooLongMs = TOO_LONG_MS } = {},
): OutboxWatch {
  let late: string[] = [];
  const watch = repeat(
    'reading the outbox',
    everyMs,
    async () => {
      const ages = await Promise.all(DESTINATIONS.map((destination) => oldestUnpublishedMs(db, destination)));
      late = DESTINATIONS.filter((_, index) => (ages[index] ?? 0) > tooLongMs);
      return false;
    },
    log,
  );
  return {
    ...watch,
    problem: () => (late.length > 0 ? `events wait for ${late.join(' and ')}` : undefined),
  };
}
