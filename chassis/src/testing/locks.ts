/** For tests only: transactions that wait for locks. */
import { type Kysely, sql, type Transaction } from 'kysely';
import { eventually } from './eventually.ts';

/** Returns the process id of the session, for `untilBlocked`. */
export async function sessionOf<DB>(trx: Transaction<DB>): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
  return rows[0]?.pid ?? 0;
}

/** Resolves when this session waits for a lock. */
export async function untilBlocked<DB>(db: Kysely<DB>, session: Promise<number>): Promise<void> {
  const pid = await session;
  await eventually(async () => {
    const { rows } = await sql`select from pg_locks where pid = ${pid} and not granted`.execute(db);
    if (rows.length === 0) throw new Error('The session does not wait for a lock.');
  });
}
