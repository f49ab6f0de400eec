/**
 * Writes all decisions of authorization to the standard output, to restore that service's database: `node src/export-decisions.ts`. One
 * line for each decision, in base64. `--from TIME` leaves out payments that have not changed since. It only reads.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { createLogger } from '@payflowx/chassis';
import { openDatabase, requireMigrated } from '@payflowx/chassis/postgres';
import { exportDecisions } from './app/export-decisions.ts';
import { loadRepublishConfig } from './config.ts';
import type { Database } from './store/database.ts';

const { values } = parseArgs({ options: { from: { type: 'string' } } });
const from = values.from === undefined ? undefined : new Date(values.from);
if (from && Number.isNaN(from.getTime())) throw new Error(`"${values.from}" is not a time.`);

const config = loadRepublishConfig(process.env);
const log = createLogger('payment', { logLevel: config.logLevel, instanceId: 'export' }, 'stderr');
const db = openDatabase<Database>(config.postgres, log);
let count = 0;
try {
  await requireMigrated(db, config.migrations);
  for await (const steps of exportDecisions(db, from)) {
    count += steps.length;
    const text = steps.map((step) => `${Buffer.from(step).toString('base64')}\n`).join('');
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  }
  log.info({ decisions: count }, 'decisions written');
} finally {
  await db.destroy();
}
