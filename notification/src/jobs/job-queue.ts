/**
 * The job queue: pg-boss on tables in this service's own database, so that a job is stored in the transaction of its cause. Its schema
 * is a migration (0003_jobs.sql). This service does not own the tables and never migrates them.
 */
import type { Logger } from '@payflowx/chassis';
import { CompiledQuery, type Transaction } from 'kysely';
import { type Job, type JobInsert, PgBoss } from 'pg-boss';
import type { Database } from '../store/database.ts';

const SCHEMA = 'jobs';
/** For claims, results and upkeep. Jobs are stored through the connections of the transactions that cause them. */
const POOL_MAX = 4;
const STATEMENT_TIMEOUT_MS = 30_000;
const CONNECTION_TIMEOUT_MS = 5_000;
const STOP_MS = 4_000;

/**
 * Seconds between two rounds that return the jobs of dead instances to the queue. A worker reports its jobs more often than the
 * heartbeat of their queue (10 s, in the migration). So a job waits at most 15 s after a crash.
 */
const SUPERVISE_EVERY_S = 5;

/** A job that this instance has claimed, and must report, finish or give back. */
export type ClaimedJob<T> = Job<T>;

export interface JobQueue {
  /**
   * Stores jobs, in the transaction of their cause if there is one. A queue with the policy `stately` keeps one queued job of each `singletonKey`: a second
   * one is skipped.
   */
  add(queue: string, jobs: readonly JobInsert[], trx?: Transaction<Database>): Promise<void>;
  /** Claims at most `limit` jobs that are due, those with the highest priority first. */
  claim<T>(
    queue: string,
    limit: number,
    options?: { minPriority?: number | undefined },
  ): Promise<ClaimedJob<T>[]>;
  /** Reports that the jobs are still worked on. Call it every few seconds for all claimed jobs together. */
  report(queue: string, jobs: readonly ClaimedJob<unknown>[]): Promise<void>;
  /** Deletes finished jobs, in the transaction of their effects if there is one. Jobs that another instance has taken over are left. */
  finish(queue: string, jobs: readonly ClaimedJob<unknown>[], trx?: Transaction<Database>): Promise<void>;
  /** Returns jobs to the queue, for another attempt after the queue's `retryDelay`. */
  giveBack(queue: string, jobs: readonly ClaimedJob<unknown>[], reason: string): Promise<void>;
  stop(): Promise<void>;
}

/** Throws if Postgres is unavailable. */
export async function startJobQueue({ url }: { url: string }, log: Logger): Promise<JobQueue> {
  const boss = new PgBoss({
    connectionString: url,
    max: POOL_MAX,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    ...{ statement_timeout: STATEMENT_TIMEOUT_MS, keepAlive: true },
    schema: SCHEMA,
    // The owner of the tables migrates them, and an index is rebuilt by its owner only.
    migrate: false,
    createSchema: false,
    reindex: false,
    schedule: false,
    superviseIntervalSeconds: SUPERVISE_EVERY_S,
    monitorIntervalSeconds: SUPERVISE_EVERY_S,
  });
  boss.on('error', (error) => log.warn({ err: error }, 'the job queue failed; it retries'));
  boss.on('warning', ({ message, data }) => log.warn({ data }, `job queue: ${message}`));
  await boss.start();
  return {
    async add(queue, jobs, trx) {
      if (jobs.length > 0) await boss.insert(queue, [...jobs], trx ? { db: within(trx) } : {});
    },
    claim: (queue, limit, { minPriority } = {}) =>
      boss.fetch(queue, { batchSize: limit, ...(minPriority !== undefined && { minPriority }) }),
    async report(queue, jobs) {
      if (jobs.length > 0) await boss.touch(queue, attemptsOf(jobs));
    },
    async finish(queue, jobs, trx) {
      if (jobs.length > 0) await boss.deleteJob(queue, attemptsOf(jobs), trx ? { db: within(trx) } : {});
    },
    async giveBack(queue, jobs, reason) {
      if (jobs.length > 0) await boss.fail(queue, attemptsOf(jobs), { reason });
    },
    stop: () => boss.stop({ graceful: true, timeout: STOP_MS }),
  };
}

/** The attempt, and not only the job: an instance that paused for long must not finish the attempt of another. */
function attemptsOf(jobs: readonly ClaimedJob<unknown>[]) {
  return jobs.map(({ id, retryCount }) => ({ id, retryCount }));
}

/** Runs pg-boss' statements in a transaction of ours. */
function within(trx: Transaction<Database>) {
  return {
    async executeSql(text: string, values: unknown[] = []) {
      const { rows } = await trx.executeQuery(CompiledQuery.raw(text, values));
      return { rows };
    },
  };
}
