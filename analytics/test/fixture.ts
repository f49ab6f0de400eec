/** Creates a migrated analytics database for one test file. */
import type { Logger } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, testLog } from '@payflowx/chassis/testing';
import type { Kysely } from 'kysely';
import type { Database } from '../src/store/database.ts';

export interface AnalyticsDatabase {
  db: Kysely<Database>;
  log: Logger;
  /** Connects as the serving role. */
  url: string;
  /** Connects as the role that owns the tables. */
  migrateUrl: string;
  /** Connects as the superuser. */
  adminUrl: string;
  drop(): Promise<void>;
}

export async function createAnalyticsDatabase(): Promise<AnalyticsDatabase> {
  const migrations = new URL('../migrations/', import.meta.url);
  const { url, migrateUrl, adminUrl, drop } = await createTestDatabase({ service: 'analytics', migrations });
  const db = openDatabase<Database>({ url, poolMax: 6 }, testLog);
  return {
    db,
    log: testLog,
    url,
    migrateUrl,
    adminUrl,
    async drop() {
      await db.destroy();
      await drop();
    },
  };
}
