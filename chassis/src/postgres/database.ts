/** SQL through Kysely and pg: every statement is prepared under a name, and money is a bigint. */
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { sqlStateOf } from '../sql-state.ts';
import type { Logger } from '../telemetry/log.ts';
import { PreparingClient, type PreparingClientConfig } from './client.ts';
import { measurePool } from './pool-metrics.ts';

export interface PostgresSettings {
  url: string;
  poolMax: number;
  /** The name of the pool in the metrics. Default: `main`. Each pool of a service has its own. */
  poolName?: string;
  /** Maximum milliseconds of one statement. Statements that read whole tables need their own pool with a higher limit. */
  statementTimeoutMs?: number;
  /** Maximum milliseconds between two statements of a transaction. Only raise it for transactions that hold no locks. */
  idleTimeoutMs?: number;
  /**
   * Maximum milliseconds that a statement waits for one lock; then it fails, and isLockTimeout is true for the error. Batches use
   * a short time, so that they continue without the locked item.
   */
  lockTimeoutMs?: number;
  /** Called for each response of the server. */
  onAnswer?: () => void;
}

const STATEMENT_TIMEOUT_MS = 30_000;

/** A longer wait for a connection or a lock means that something is wrong. The call fails, and the caller may retry. */
const LOCK_TIMEOUT_MS = 10_000;
const CONNECTION_TIMEOUT_MS = 5_000;
/** A process that hangs in the middle of a transaction loses its locks, before the transactions that wait for them time out. */
const IDLE_TIMEOUT_MS = 5_000;

const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === pg.types.builtins.INT8) return BigInt;
    // A date is a calendar day without a zone. A Date would shift it by the time zone of the machine.
    if (oid === pg.types.builtins.DATE) return (text: string) => text;
    return pg.types.getTypeParser(oid, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/**
 * Returns a connection pool with the serving role. int8 becomes bigint, timestamptz becomes Date, date becomes 'YYYY-MM-DD', and
 * jsonb is parsed.
 */
export function openDatabase<DB>(settings: PostgresSettings, log: Logger): Kysely<DB> {
  const {
    url,
    poolMax,
    poolName = 'main',
    statementTimeoutMs = STATEMENT_TIMEOUT_MS,
    lockTimeoutMs = LOCK_TIMEOUT_MS,
    idleTimeoutMs = IDLE_TIMEOUT_MS,
    onAnswer,
  } = settings;
  const config: pg.PoolConfig & PreparingClientConfig = {
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
    onAnswer,
  };
  const pool = new pg.Pool(config);
  // A broken connection emits an error: on the pool if it is idle, on the client if it is in use. Without a listener the error
  // would end the process. The running statement rejects by itself.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
  pool.on('connect', (client) =>
    client.on('error', (error) => log.warn({ err: error }, 'a database connection broke')),
  );
  measurePool(poolName, pool);
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
}

/** Postgres requires a retry of the whole transaction after these: deadlock_detected, serialization_failure. */
const RETRY_CODES = new Set(['40P01', '40001']);
const MAX_ATTEMPTS = 5;

/**
 * Runs `work` in one READ COMMITTED transaction. Retries it from the start if Postgres aborts it because of another transaction.
 */
export function inTransaction<DB, T>(db: Kysely<DB>, work: (trx: Transaction<DB>) => Promise<T>): Promise<T> {
  return unlessBrokenOff(() => db.transaction().setIsolationLevel('read committed').execute(work));
}

/** Maximum milliseconds that each later statement of this transaction waits for one lock. */
export async function limitLockWait<DB>(trx: Transaction<DB>, ms: number): Promise<void> {
  await sql`set local lock_timeout = ${sql.lit(ms)}`.execute(trx);
}

/**
 * Retries `work` from the start if Postgres aborts it because of another transaction. For a single statement, which is a
 * transaction by itself: this saves the round trips of BEGIN and COMMIT.
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
