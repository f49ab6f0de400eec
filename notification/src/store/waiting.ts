/** Counts what waits to be sent. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

export interface Waiting {
  deliveryCount: number;
  /** In seconds; 0 if none waits. */
  oldestDeliveryAgeS: number;
  mailCount: number;
}

/** Rows are counted up to this number, so that the count stays cheap with a large backlog. */
const MAX_COUNTED = 10_000;

export async function readWaiting(db: Kysely<Database>): Promise<Waiting> {
  const { rows } = await sql<Waiting>`
    with pending as (
      select created_at from webhook_deliveries where state = 'pending'
      order by next_attempt_at limit ${sql.lit(MAX_COUNTED)}
    ), unsent as (
      select 1 from mails where state = 'pending' limit ${sql.lit(MAX_COUNTED)}
    )
    select (select count(*)::int from pending) as "deliveryCount",
      (select coalesce(extract(epoch from now() - min(created_at)), 0)::float8 from pending) as "oldestDeliveryAgeS",
      (select count(*)::int from unsent) as "mailCount"`.execute(db);
  return rows[0] ?? { deliveryCount: 0, oldestDeliveryAgeS: 0, mailCount: 0 };
}
