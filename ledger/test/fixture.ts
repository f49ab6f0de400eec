/** A migrated ledger database of its own for a test file. */
import { openDatabase } from '@payflowx/chassis';
import { createTestDatabase, testLog } from '@payflowx/chassis/testing';
import type { Kysely } from 'kysely';
import type { Database } from '../src/store/database.ts';

export interface LedgerDatabase {
  db: Kysely<Database>;
  /** As the role that serves. */
  url: string;
  /** As the role that owns the tables. */
  migrateUrl: string;
  adminUrl: string;
  drop(): Promise<void>;
}

export async function createLedgerDatabase(): Promise<LedgerDatabase> {
  const migrations = new URL('../migrations/', import.meta.url);
  const { url, migrateUrl, adminUrl, drop } = await createTestDatabase({ service: 'ledger', migrations });
  const db = openDatabase<Database>({ url, poolMax: 6 }, testLog);
  return {
    db,
    url,
    migrateUrl,
    adminUrl,
    async drop() {
      await db.destroy();
      await drop();
    },
  };
}
