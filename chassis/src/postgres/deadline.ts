/** Ends long reads at their caller's deadline, inside Postgres too. */
import { type Kysely, sql, type Transaction } from 'kysely';
import { CallError } from '../rpc/errors.ts';
import { isStatementTimeout } from '../sql-state.ts';

interface Limits {
  deadline: Date;
  /** Maximum milliseconds of one statement. */
  maxStatementMs: number;
}

/** Each later statement of this transaction ends at the deadline. Throws CallError DEADLINE_EXCEEDED if it has passed. */
export async function endAtDeadline<DB>(
  trx: Transaction<DB>,
  { deadline, maxStatementMs }: Limits,
): Promise<void> {
  const ms = Math.min(deadline.getTime() - Date.now(), maxStatementMs);
  if (ms < 1) throw deadlinePassed();
  await sql`set local statement_timeout = ${sql.lit(Math.ceil(ms))}`.execute(trx);
}

/** Runs a short read whose statements end at the deadline. Throws CallError DEADLINE_EXCEEDED. */
export function readUntil<DB, T>(
  db: Kysely<DB>,
  limits: Limits,
  read: (trx: Transaction<DB>) => Promise<T>,
): Promise<T> {
  return withDeadlineError(limits, () =>
    db
      .transaction()
      .setAccessMode('read only')
      .execute(async (trx) => {
        await endAtDeadline(trx, limits);
        return read(trx);
      }),
  );
}

/** Translates a statement that ran into the deadline to DEADLINE_EXCEEDED. Other timeouts are not the caller's. */
export async function withDeadlineError<T>(
  { deadline }: Pick<Limits, 'deadline'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isStatementTimeout(error) && Date.now() >= deadline.getTime() - TIMER_TOLERANCE_MS) {
      throw deadlinePassed();
    }
    throw error;
  }
}

/** Postgres' timer and ours may differ by this much. */
const TIMER_TOLERANCE_MS = 50;

function deadlinePassed(): CallError {
  return new CallError('DEADLINE_EXCEEDED', 'The deadline of the call passed before the work was complete.');
}
