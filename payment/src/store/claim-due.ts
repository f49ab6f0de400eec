/** How recovery takes rows that are due, of payments and operations alike. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

export interface Claim {
  now: Date;
  /** The most rows. */
  limit: number;
  /** Until a row that was taken is due again; doubled with each attempt. */
  backOffMs: number;
}

/** However often it failed: what has its obstacle gone is final soon after. */
const MAX_BACK_OFF_MS = 8_000;

/** Written out, not given as parameters: the planner then knows that the partial indexes of what is due serve. */
const UNDECIDED = { payments: 'INITIATED', operations: 'PENDING' } as const;

/**
 * Takes rows that are due by moving their next attempt into the future: `backOffMs` doubled with each attempt up to the greater
 * of it and MAX_BACK_OFF_MS, and scattered. Other instances skip rows that one has locked.
 */
export async function claimDue<Row>(
  db: Kysely<Database>,
  table: keyof typeof UNDECIDED,
  columns: readonly string[],
  { now, limit, backOffMs }: Claim,
): Promise<Row[]> {
  const maxBackOffMs = Math.max(MAX_BACK_OFF_MS, backOffMs);
  const { rows } = await sql<Row>`
    with due as (
      select id from ${sql.table(table)}
      where state = ${sql.lit(UNDECIDED[table])} and next_attempt_at <= ${now}
      order by next_attempt_at limit ${limit}
      for update skip locked
    )
    update ${sql.table(table)} as t set
      attempts = t.attempts + 1,
      next_attempt_at = ${now}::timestamptz + interval '1 millisecond'
        * least(${backOffMs}::float8 * 2 ^ least(t.attempts, 20), ${maxBackOffMs}::float8) * (0.75 + random() / 2)
    from due where t.id = due.id
    returning ${sql.join(columns.map((column) => sql.ref(`t.${column}`)))}`.execute(db);
  return rows;
}
