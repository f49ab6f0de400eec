/** One way to do SQL: Kysely over pg, every statement prepared under a name, money as bigint. */
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { sqlStateOf } from '../sql-state.ts';
import type { Logger } from '../telemetry/log.ts';
import { PreparingClient } from './client.ts';

export interface PostgresSettings {
  url: string;
  poolMax: number;
  /** The longest that Postgres works on one statement. Statements that read whole tables need a pool of their own with a longer one. */
  statementTimeoutMs?: number;
  /** The longest pause between two statements of a transaction. Longer only for transactions that hold no locks. */
  idleTimeoutMs?: number;
  /** The longest wait for one lock, then the statement fails with what isLockTimeout tells. For batches: short, so that they go on without the locked item. */
  lockTimeoutMs?: number;
}

const STATEMENT_TIMEOUT_MS = 30_000;

/** Waiting longer than this for a connection or a lock means that something is wrong: fail, and let the caller retry. */
const LOCK_TIMEOUT_MS = 10_000;
const CONNECTION_TIMEOUT_MS = 5_000;
/** A process that hangs in the middle of a transaction loses its locks, sooner than others give up waiting for them. */
const IDLE_TIMEOUT_MS = 5_000;

const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === pg.types.builtins.INT8) return BigInt;
    // A date is a calendar day without a zone; a Date would move it by the machine's offset.
    if (oid === pg.types.builtins.DATE) return (text: string) => text;
    return pg.types.getTypeParser(oid, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/** A pool of connections as the serving role. int8 is bigint, timestamptz is Date, date is 'YYYY-MM-DD', jsonb is parsed. */
export function openDatabase<DB>(settings: PostgresSettings, log: Logger): Kysely<DB> {
  const {
    url,
    poolMax,
    statementTimeoutMs = STATEMENT_TIMEOUT_MS,
    lockTimeoutMs = LOCK_TIMEOUT_MS,
    idleTimeoutMs = IDLE_TIMEOUT_MS,
  } = settings;
  const pool = new pg.Pool({
    connectionString: url,
    max: poolMax,
    types: columnTypes,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: statementTimeoutMs,
    Client: PreparingClient,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleTimeoutMs,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
  });
  // A connection that breaks emits here while it is idle, and on the client while it is in use. An emitted error that nobody
  // listens to ends the process. The statement that was running rejects by itself.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
  pool.on('connect', (client) =>
    client.on('error', (error) => log.warn({ err: error }, 'a database connection broke')),
  );
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
}

/** Postgres asks for the whole transaction again: deadlock_detected, serialization_failure. */
const RETRY_CODES = new Set(['40P01', '40001']);
const MAX_ATTEMPTS = 5;

/** Runs `work` in one READ COMMITTED transaction, again from the start if Postgres broke it off for the sake of another. */
export function inTransaction<DB, T>(db: Kysely<DB>, work: (trx: Transaction<DB>) => Promise<T>): Promise<T> {
  return unlessBrokenOff(() => db.transaction().setIsolationLevel('read committed').execute(work));
}

/** The longest wait for one lock in the rest of this transaction. */
export async function limitLockWait<DB>(trx: Transaction<DB>, ms: number): Promise<void> {
  await sql`set local lock_timeout = ${sql.lit(ms)}`.execute(trx);
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
