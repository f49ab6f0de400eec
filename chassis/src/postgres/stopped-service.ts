/** Commands that change what a service relies on run only while the service is stopped. */
import { type Kysely, sql } from 'kysely';

/**
 * Throws if a session of this role is connected to the database: the service runs. The check is of one moment, so the caller also locks
 * the tables that it writes.
 */
export async function requireStopped<DB>(db: Kysely<DB>, servingRole: string): Promise<void> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and usename = ${servingRole} and pid <> pg_backend_pid()`.execute(db);
  const count = rows[0]?.count ?? 0;
  if (count > 0)
    throw new Error(`The service runs: ${servingRole} has ${count} sessions. Stop all its instances first.`);
}
