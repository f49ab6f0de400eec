/** A migrated ledger database of its own for a test file. */
import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, testLog } from '@payflowx/chassis/testing';
import { type Kysely, sql } from 'kysely';
import { checkSeal, type SealCheck } from '../src/app/check-seal.ts';
import type { Database } from '../src/store/database.ts';
import { countJournal } from '../src/store/proof.ts';
import { atOneMoment } from '../src/store/snapshot.ts';

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
  const db = openDatabase<Database>({ url, poolMax: 6, lockTimeoutMs: 250 }, testLog);
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

/** What the proof says of the seal. */
export function checkWholeSeal({ db }: Pick<LedgerDatabase, 'db'>): Promise<SealCheck> {
  return atOneMoment(db, async (snapshot) =>
    checkSeal(snapshot, await countJournal(snapshot), { deadline: new Date(Date.now() + 60_000) }),
  );
}

const GUARDED = ['transactions', 'postings', 'seals', 'heads'];

/** Runs the statements as whoever owns the machine can: with every trigger and foreign key out of the way. */
export async function byForce({ adminUrl }: LedgerDatabase, statements: string): Promise<void> {
  const admin = openDatabase<Database>({ url: adminUrl, poolMax: 1 }, testLog);
  const off = GUARDED.map((table) => `alter table ${table} disable trigger all;`).join('');
  const on = GUARDED.map((table) => `alter table ${table} enable always trigger ${table}_append_only;`).join(
    '',
  );
  await sql.raw(`${off} ${statements}; ${on}`).execute(admin);
  await admin.destroy();
}
