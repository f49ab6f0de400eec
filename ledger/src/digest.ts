/** Prints the SHA-256 of all that the ledger holds: `node src/digest.ts`. Two ledgers with equal digests are equal. */
import { createLogger } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { digestLedger } from './app/digest-ledger.ts';
import { loadDigestConfig } from './config.ts';
import type { Database } from './store/database.ts';
import { PROOF_STATEMENT_TIMEOUT_MS } from './store/proof.ts';

const config = loadDigestConfig(process.env);
const log = createLogger('ledger', { logLevel: config.logLevel, instanceId: 'digest' }, 'stderr');

const db = openDatabase<Database>(
  { ...config.postgres, statementTimeoutMs: PROOF_STATEMENT_TIMEOUT_MS },
  log,
);
try {
  console.log(await digestLedger(db));
} finally {
  await db.destroy();
}
