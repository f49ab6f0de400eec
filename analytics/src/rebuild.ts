/**
 * Empties the totals and counts the whole topic again, from the oldest event on: `node src/rebuild.ts`. The service may keep
 * running: the events that it counts meanwhile are in the inbox, so they are not counted twice. Until the end of the rebuild the
 * service returns totals that are too low.
 *
 * Exits with 1 if it passed over events that cannot be decoded or applied. Each of them is in the log.
 */
import { createLogger } from '@payflowx/chassis';
import { replayTopic } from '@payflowx/chassis/kafka';
import { openDatabase } from '@payflowx/chassis/postgres';
import { loadRebuildConfig } from './config.ts';
import { paymentEvents } from './consumers/payment-events.ts';
import type { Database } from './store/database.ts';
import { emptyTables } from './store/empty-tables.ts';
import { withoutPurge } from './store/inbox-horizon.ts';

const config = loadRebuildConfig(process.env);
const log = createLogger('analytics', { logLevel: config.logLevel, instanceId: 'rebuild' }, 'stderr');

const db = openDatabase<Database>({ url: config.ownerUrl, poolMax: 3 }, log);
try {
  const { appliedCount, passedOverCount } = await withoutPurge(db, async () => {
    await emptyTables(db);
    return replayTopic(config.events, paymentEvents({ db, log }), log);
  });
  console.log(`${appliedCount} events applied, ${passedOverCount} passed over`);
  if (passedOverCount > 0) process.exitCode = 1;
} finally {
  await db.destroy();
}
