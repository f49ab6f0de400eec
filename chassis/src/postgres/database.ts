/** One way to do SQL: Kysely over pg, every statement prepared under a name, money as bigint. */
import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import { sqlStateOf } from '../sql-state.ts';
import type { Logger } from '../telemetry/log.ts';
import { PreparingClient } from './client.ts';

export interface PostgresSettings {
  url: string;
  poolMax: number;
}

/** Waiting longer than this for a connection, a lock or a statement means that something is wrong: fail, and let the caller retry. */
const LIMITS = {
  connectionTimeoutMillis: 5_000,
  statement_timeout: 30_000,
  lock_timeout: 10_000,
  // A process that hangs in the middle of a transaction gives up its locks: sooner than others give up waiting for them.
  idle_in_transaction_session_timeout: 5_000,
};

const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === pg.types.builtins.INT8) return BigInt;
    // A date is a calendar day without a zone; a Date would move it by the machine's offset.
    if (oid === pg.types.builtins.DATE) return (text: string) => text;
    return pg.types.getTypeParser(oid, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/** A pool of connections as the serving role. int8 is bigint, timestamptz is Date, date is 'YYYY-MM-DD', jsonb is parsed. */
export function openDatabase<DB>({ url, poolMax }: PostgresSettings, log: Logger): Kysely<DB> {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolMax,
    types: columnTypes,
    keepAlive: true,
    Client: PreparingClient,
    ...LIMITS,
  });
  // Unhandled, the break of a connection that waits for its next statement would end the process: of an idle one in the pool, and of
  // one between two statements of a transaction. The next statement fails in either case.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    client.on('error', (error) => log.warn({ err: error }, 'a database connection broke'));
  });
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
}

/** Postgres asks for the whole transaction again: deadlock_detected, serialization_failure. */
const RETRY_CODES = new Set(['40P01', '40001']);
const MAX_ATTEMPTS = 5;

/** Runs `work` in one READ COMMITTED transaction, again from the start if Postgres broke it off for the sake of another. */
export function inTransaction<DB, T>(db: Kysely<DB>, work: (trx: Transaction<DB>) => Promise<T>): Promise<T> {
  return unlessBrokenOff(() => db.transaction().setIsolationLevel('read committed').execute(work));
}

/**
 * Runs `work` again from the start if Postgres broke it off for the sake of another. For a single statement, which is a transaction by
 * itself: it saves the round trips of BEGIN and COMMIT.
 */
export async function unlessBrokenOff<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !RETRY_CODES.has(sqlStateOf(error) ?? '')) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt));
    }
  }
}
