/** How recovery takes rows that are due, of payments and operations alike; and what it has not brought to an end. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

export interface Claim {
  now: Date;
  /** The most rows. */
  limit: number;
  /** Until a row that was taken is due again; doubled with each attempt. */
  backOffMs: number;
}

export interface Claimed<T> {
  due: T[];
  /** The ids of those that this attempt makes stuck. A row is named here once. */
  stuck: string[];
}

/** An obstacle that is gone after some minutes: what waited for it is final soon after. */
const MAX_BACK_OFF_MS = 8_000;
/** After so many attempts without an outcome a row is stuck: with the pauses above, after some two minutes. */
export const STUCK_AFTER = 20;
/** Then the pauses go on doubling up to this, so that rows which fail each time leave room for those which do not. */
const MAX_STUCK_BACK_OFF_MS = 5 * 60_000;

/** Written out, not given as parameters: the planner then knows that the partial indexes of what is due serve. */
const UNDECIDED = { payments: 'INITIATED', operations: 'PENDING' } as const;
export type Undecided = keyof typeof UNDECIDED;

/**
 * Takes rows that are due, those first that have been due for longest, by moving their next attempt into the future: the pause grows
 * with each attempt and is scattered. Other instances skip rows that one has locked.
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
  /** Rows without an outcome. */
  waiting: number;
  stuck: number;
  /** Of the stuck rows the oldest. */
  stuckIds: string[];
}

/** More are not counted: a status must not cost more the worse things are. */
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
