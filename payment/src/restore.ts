/**
 * Restores payments and operations that this database lost, from the topic: `node src/restore.ts`. Without --run it only counts.
 * The service must be stopped: a client that repeats a lost key would pay again. Recovery finishes them once the service runs. All of it
 * is one transaction, so a run that is killed has changed nothing.
 */
import { createLogger } from '@payflowx/chassis';
import { replayTopic } from '@payflowx/chassis/kafka';
import { openDatabase, requireMigrated, requireStopped } from '@payflowx/chassis/postgres';
import { sql, type Transaction } from 'kysely';
import { lockTables, restorePayments } from './app/restore-payments.ts';
import { loadRestoreConfig } from './config.ts';
import { decodePastEvent, type PastEvent } from './messages/past-event.ts';
import type { Database } from './store/database.ts';

const config = loadRestoreConfig(process.env);
const isReal = process.argv.includes('--run');
const log = createLogger('payment', { logLevel: config.logLevel, instanceId: 'restore' }, 'stderr');
/** Ids: the topic has an event as often as it was published. */
const payments = new Set<string>();
const operations = new Set<string>();
const incomplete = new Set<string>();

/** A batch that fails is tried again in smaller ones, so its failure must not end the transaction. */
async function inSavepoint<T>(trx: Transaction<Database>, work: () => Promise<T>): Promise<T> {
  await sql`savepoint batch`.execute(trx).catch(giveUp);
  try {
    const done = await work();
    await sql`release savepoint batch`.execute(trx);
    return done;
  } catch (error) {
    await sql`rollback to savepoint batch`.execute(trx).catch(giveUp);
    throw error;
  }
}

/** Without its connection the transaction is lost. Retries would never end. */
function giveUp(error: unknown): never {
  log.fatal({ err: error }, 'the connection broke, and nothing was restored; run the command again');
  process.exit(1);
}

/** The transaction lasts as long as the topic is read. */
const idleTimeoutMs = 0;
const db = openDatabase<Database>({ url: config.ownerUrl, poolMax: 2, idleTimeoutMs }, log);
try {
  await requireMigrated(db, config.migrations);
  if (isReal) await requireStopped(db, 'payflowx_payment');
  const { passedOverCount } = await db.transaction().execute(async (trx) => {
    if (isReal) await lockTables(trx);
    const handlers = {
      decode: (message: Parameters<typeof decodePastEvent>[0]) =>
        decodePastEvent(message, config.defaultHoldMs),
      async apply(events: PastEvent[]) {
        const found = await inSavepoint(trx, () =>
          restorePayments({ trx, isReal, restored: payments }, events),
        );
        for (const id of found.payments) payments.add(id);
        for (const id of found.operations) operations.add(id);
        for (const id of found.incomplete) incomplete.add(id);
      },
    };
    return replayTopic(config.events, handlers, log);
  });
  const left = [...incomplete].filter((id) => !payments.has(id)).length;
  const verb = isReal
    ? 'restored; start the service, which finishes them'
    : 'would be restored; --run restores them';
  console.log(`${payments.size} payments and ${operations.size} operations ${verb}`);
  if (left > 0) console.log(`${left} payments cannot be restored: their events are of an earlier version`);
  if (passedOverCount + left > 0) process.exitCode = 1;
} finally {
  await db.destroy();
}
