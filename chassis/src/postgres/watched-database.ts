/** A database whose silence is noticed. A server can vanish without closing its connections, and an idle service would not see it. */
import { type Kysely, sql } from 'kysely';
import type { Logger } from '../telemetry/log.ts';
import { openDatabase, type PostgresSettings } from './database.ts';

export interface WatchedDatabase<DB> {
  db: Kysely<DB>;
  /** The problem in words, while Postgres does not answer. */
  problem(): string | undefined;
  close(): Promise<void>;
}

/** If no statement was answered for this long, the watch sends one. */
const PROBE_EVERY_MS = 2_000;
/** Intervals without an answer until the database counts as unavailable: 10 s. A restart of Postgres takes less. */
const SILENT_INTERVALS = 5;

export function openWatchedDatabase<DB>(
  settings: PostgresSettings,
  log: Logger,
  { probeEveryMs = PROBE_EVERY_MS } = {},
): WatchedDatabase<DB> {
  let isAnswered = true;
  let isProbing = false;
  // Intervals are counted, and not the time. So a pause of our own process does not count as silence of the database.
  let silentIntervals = 0;
  const onAnswer = () => {
    isAnswered = true;
  };
  const db = openDatabase<DB>({ ...settings, onAnswer }, log);

  async function probe(): Promise<void> {
    isProbing = true;
    // A failure needs no treatment: it is no answer.
    await sql`select 1`.execute(db).catch(() => {});
    isProbing = false;
  }

  const watch = setInterval(() => {
    silentIntervals = isAnswered ? 0 : silentIntervals + 1;
    if (!isAnswered && !isProbing) void probe();
    isAnswered = false;
  }, probeEveryMs);
  watch.unref();

  return {
    db,
    problem: () => (silentIntervals >= SILENT_INTERVALS ? 'the database does not answer' : undefined),
    async close() {
      clearInterval(watch);
      await db.destroy();
    },
  };
}
