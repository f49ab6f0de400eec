/** How many events wait in the outbox, and for how long. */
import type { Kysely } from 'kysely';
import { gauges } from '../telemetry/metrics.ts';
import { readOutboxBacklog } from './outbox-backlog.ts';

/** The read counts all waiting events, so it is not repeated for each scrape of many. */
const READ_EVERY_MS = 5_000;

/** Every instance reports the figures of the whole service. */
export function measureOutbox<DB>(db: Kysely<DB>, destinations: readonly string[]): void {
  gauges(
    {
      'payflowx.outbox.events': { description: 'Events that are not published yet' },
      'payflowx.outbox.oldest.age': { description: 'Age of the oldest event in the outbox', unit: 's' },
      'payflowx.outbox.dead_letters': { description: 'Events that the broker refused for ever' },
    },
    async () => {
      const backlogs = await readOutboxBacklog(db, destinations);
      return backlogs.flatMap(({ destination, waitingCount, oldestAt, refusedCount }) => {
        const labels = { destination };
        const ageMs = oldestAt ? Math.max(0, Date.now() - oldestAt.getTime()) : 0;
        return [
          { name: 'payflowx.outbox.events', value: Number(waitingCount), labels } as const,
          { name: 'payflowx.outbox.oldest.age', value: ageMs / 1_000, labels } as const,
          { name: 'payflowx.outbox.dead_letters', value: Number(refusedCount), labels } as const,
        ];
      });
    },
    { everyMs: READ_EVERY_MS },
  );
}
