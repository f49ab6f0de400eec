/** Prints the SHA-256 of all totals: `node src/digest.ts`. Equal digests mean equal totals. */
import { createLogger } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { digestTotals } from './app/digest-totals.ts';
import { loadDigestConfig } from './config.ts';
import type { Database } from './store/database.ts';

const config = loadDigestConfig(process.env);
const log = createLogger('analytics', { logLevel: config.logLevel, instanceId: 'digest' }, 'stderr');

const db = openDatabase<Database>(config.postgres, log);
try {
  console.log(await digestTotals(db));
} finally {
  await db.destroy();
}
