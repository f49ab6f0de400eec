/**
 * Replays the whole topic into the journal, from the oldest event on: `node src/rebuild.ts`. In an empty database it makes the
 * same ledger again. On a ledger that has all the events it changes nothing, so it may run at any time.
 *
 * Exits with 1 if it passed over events that cannot be decoded or applied. Each of them is in the log.
 */
import { createLogger } from '@payflowx/chassis';
import { replayTopic } from '@payflowx/chassis/kafka';
import { openDatabase, requireMigrated } from '@payflowx/chassis/postgres';
import { loadRebuildConfig } from './config.ts';
import { paymentEvents } from './consumers/payment-events.ts';
import type { Database } from './store/database.ts';

const config = loadRebuildConfig(process.env);
const log = createLogger('ledger', { logLevel: config.logLevel, instanceId: 'rebuild' }, 'stderr');

const db = openDatabase<Database>(config.postgres, log);
try {
  await requireMigrated(db, config.migrations);
  const { appliedCount, passedOverCount } = await replayTopic(config.events, paymentEvents({ db }), log);
  console.log(`${appliedCount} events applied, ${passedOverCount} passed over`);
  if (passedOverCount > 0) process.exitCode = 1;
} finally {
  await db.destroy();
}
