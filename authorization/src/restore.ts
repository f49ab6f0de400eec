/**
 * Restores decisions that this database lost, from those that payment wrote with `src/export-decisions.ts`: `node src/restore.ts FILE`,
 * or from the standard input without FILE. Without --run it only counts. The service must be stopped.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createLogger } from '@payflowx/chassis';
import { openDatabase, requireMigrated, requireStopped } from '@payflowx/chassis/postgres';
import { ContradictionError, restoreDecisions } from './app/restore-decisions.ts';
import { loadRestoreConfig } from './config.ts';
import type { Database } from './store/database.ts';

const { values, positionals } = parseArgs({
  options: { run: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const isReal = values.run;
const config = loadRestoreConfig(process.env);
const log = createLogger('authorization', { logLevel: config.logLevel, instanceId: 'restore' }, 'stderr');

/** The transaction lasts as long as the file is read. */
const NO_LIMIT = 0;
const db = openDatabase<Database>(
  { url: config.ownerUrl, poolMax: 2, statementTimeoutMs: NO_LIMIT, idleTimeoutMs: NO_LIMIT },
  log,
);

async function* decisions(): AsyncGenerator<Uint8Array> {
  const input = positionals[0] === undefined ? process.stdin : createReadStream(positionals[0]);
  for await (const line of createInterface({ input })) if (line !== '') yield Buffer.from(line, 'base64');
}

try {
  await requireMigrated(db, config.migrations);
  if (isReal) await requireStopped(db, 'payflowx_authorization');
  const { known, restored, changedAccounts, changedHolds, accounts } = await restoreDecisions(
    { db, log, isReal },
    decisions(),
  );
  const verb = isReal ? 'restored' : 'would be restored; --run restores them';
  const change = isReal ? 'changed' : 'would be changed';
  console.log(
    `${changedAccounts} accounts and ${changedHolds} holds ${change}; ${known} decisions were there`,
  );
  if (accounts.length > 0)
    console.log(`frozen, because their state and limits are lost: ${accounts.join(', ')}`);
  console.log(`${restored} decisions ${verb}`);
} catch (error) {
  if (!(error instanceof ContradictionError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await db.destroy();
}
