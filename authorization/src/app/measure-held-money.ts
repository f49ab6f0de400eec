/** The money in holds, for the metrics. */
import { gauges } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { sumHeld } from '../store/balances.ts';
import type { Database } from '../store/database.ts';

/** The sum reads every balance. */
const READ_EVERY_MS = 60_000;

/** Every instance reports the figures of the whole service. */
export function measureHeldMoney(db: Kysely<Database>): void {
  gauges(
    { 'payflowx.money.held': { description: 'Money in holds, in minor units of the currency' } },
    async () => {
      const sums = await sumHeld(db);
      return sums.map(({ currency, heldMinor }) => ({
        name: 'payflowx.money.held' as const,
        value: Number(heldMinor),
        labels: { currency },
      }));
    },
    { everyMs: READ_EVERY_MS },
  );
}
