/** Claims payments and operations that are due for recovery, and counts those without an outcome. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

export interface Claim {
  now: Date;
  /** Maximum number of rows. */
  limit: number;
  /** Milliseconds until a claimed row is due again. Doubled with each attempt. */
  backOffMs: number;
}

export interface Claimed<T> {
  due: T[];
  /** Ids of the rows that become stuck with this attempt. Each row is listed once. */
  stuck: string[];
}

/** The longest pause before a row is stuck. After an outage of some minutes, waiting rows are final soon after its end. */
const MAX_BACK_OFF_MS = 8_000;
/** A row is stuck after this many attempts without an outcome. With the pauses above that is about two minutes. */
const STUCK_AFTER = 20;
/** The pauses of a stuck row double up to this. Rows that fail on each attempt then leave room for rows that do not. */
const MAX_STUCK_BACK_OFF_MS = 5 * 60_000;

/** Written as literals and not as parameters, so that the planner can use the partial indexes on due rows. */
const UNDECIDED = { payments: 'INITIATED', operations: 'PENDING' } as const;
export type Undecided = keyof typeof UNDECIDED;

/**
 * Claims due rows, the longest due first, by moving their next attempt into the future. The pause grows with each attempt and is
 * randomized. Other instances skip rows that are locked.
 */
export async function claimDue<Row>(
  db: Kysely<Database>,
  table: Undecided,
  columns: readonly string[],
  { now, limit, backOffMs }: Claim,
): Promise<Claimed<Row>> {
  const maxBackOffMs = Math.max(MAX_BACK_OFF_MS, backOffMs);
  const pauseMs = sql`case when t.attempts < ${sql.lit(STUCK_AFTER)}
    then least(${backOffMs}::float8 * 2 ^ t.attempts, ${maxBackOffMs}::float8)
    else least(${maxBackOffMs}::float8 * 2 ^ least(t.attempts - ${sql.lit(STUCK_AFTER - 1)}, 20), ${MAX_STUCK_BACK_OFF_MS}::float8) end`;
  const { rows } = await sql<Row & { claimed_id: string; claimed_attempts: number }>`
    with due as (
      select id from ${sql.table(table)}
      where state = ${sql.lit(UNDECIDED[table])} and next_attempt_at <= ${now}
      order by next_attempt_at limit ${limit}
      for update skip locked
    )
    update ${sql.table(table)} as t set
      attempts = t.attempts + 1,
      next_attempt_at = ${now}::timestamptz + interval '1 millisecond' * ${pauseMs} * (0.75 + random() / 2)
    from due where t.id = due.id
    returning t.id as claimed_id, t.attempts as claimed_attempts,
      ${sql.join(columns.map((column) => sql.ref(`t.${column}`)))}`.execute(db);
  const stuck = rows.filter((row) => row.claimed_attempts === STUCK_AFTER).map((row) => row.claimed_id);
  return { due: rows, stuck };
}

export interface Backlog {
  /** Number of rows without an outcome. */
  waiting: number;
  stuck: number;
  /** The oldest of the stuck rows. */
  stuckIds: string[];
}

/** Rows are counted up to this number, so that the status stays cheap with a large backlog. */
const MAX_COUNTED = 10_000;
const MAX_NAMED = 10;

export async function readBacklog(db: Kysely<Database>, table: Undecided): Promise<Backlog> {
  const { rows } = await sql<Backlog>`
    with undecided as (
      select id, attempts, created_at from ${sql.table(table)}
      where state = ${sql.lit(UNDECIDED[table])}
      order by next_attempt_at limit ${MAX_COUNTED}
    )
    select count(*)::int as waiting,
      count(*) filter (where attempts >= ${sql.lit(STUCK_AFTER)})::int as stuck,
      array(
        select id from undecided where attempts >= ${sql.lit(STUCK_AFTER)} order by created_at, id limit ${MAX_NAMED}
      ) as "stuckIds"
    from undecided`.execute(db);
  return rows[0] ?? { waiting: 0, stuck: 0, stuckIds: [] };
}
