/** Creates a migrated ledger database for one test file. */
import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, testLog } from '@payflowx/chassis/testing';
import { type Kysely, sql } from 'kysely';
import { checkSeal, type SealCheck } from '../src/app/check-seal.ts';
import type { ProofDeps } from '../src/app/prove-ledger.ts';
import type { AuthorizedBalance, ComparedAccount } from '../src/domain/proof.ts';
import { storeAuthorized } from '../src/store/authorized-balances.ts';
import type { Database } from '../src/store/database.ts';
import { compareAccounts, countJournal } from '../src/store/proof.ts';
import { atOneMoment } from '../src/store/snapshot.ts';

export interface LedgerDatabase {
  db: Kysely<Database>;
  /** Connects as the serving role. */
  url: string;
  /** Connects as the role that owns the tables. */
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

/** Checks the seal as the proof does. */
export function checkWholeSeal({ db }: Pick<LedgerDatabase, 'db'>): Promise<SealCheck> {
  return atOneMoment(db, async (snapshot) =>
    checkSeal(snapshot, await countJournal(snapshot), { deadline: new Date(Date.now() + 60_000) }),
  );
}

/** Compares every account as the proof does. */
export function compareAll(
  { db }: Pick<LedgerDatabase, 'db'>,
  authorized: readonly AuthorizedBalance[] = [],
): Promise<ComparedAccount[]> {
  return db.connection().execute(async (connection) => {
    await storeAuthorized(
      connection,
      (async function* () {
        yield* authorized;
      })(),
    );
    return atOneMoment(connection, (snapshot) => Array.fromAsync(compareAccounts(snapshot)));
  });
}

/** The neighbours of a proof if no event is on its way. No test waits for the clock. */
export const ALL_APPLIED: Pick<ProofDeps, 'progress' | 'pause' | 'eventLag'> = {
  progress: {
    unfinishedAmong: async () => new Set(),
    ends: async () => new Map(),
    hasPassed: async () => true,
  },
  pause: async () => {},
  eventLag: async () => 0n,
};

const GUARDED = ['transactions', 'postings', 'seals', 'heads'];

/** Runs the statements with superuser rights: triggers and foreign keys are off. */
export async function asSuperuser({ adminUrl }: LedgerDatabase, statements: string): Promise<void> {
  const admin = openDatabase<Database>({ url: adminUrl, poolMax: 1 }, testLog);
  const off = GUARDED.map((table) => `alter table ${table} disable trigger all;`).join('');
  const on = GUARDED.map((table) => `alter table ${table} enable always trigger ${table}_append_only;`).join(
    '',
  );
  await sql.raw(`${off} ${statements}; ${on}`).execute(admin);
  await admin.destroy();
}
