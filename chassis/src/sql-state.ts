/** Reads the SQLSTATE of Postgres errors. It is separate from the client, so that other code can classify errors without it. */

/** Returns the five-character SQLSTATE of a Postgres error; undefined for any other error. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** SQLSTATE classes of errors in the server, not in the statement: connection, resources, shutdown, locks, I/O. */
const TRANSIENT_CLASSES = ['08', '53', '57', '58', '40', '55'];
/** idle_in_transaction_session_timeout: our process hung in the middle of a transaction. */
const TRANSIENT_CODES = ['25P03'];
const NETWORK_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);

/** True if the same work may succeed later without a change: the database is unavailable, busy or restarting. */
export function isTransient(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (isStatementTimeout(error)) return false;
  if (state !== undefined)
    return TRANSIENT_CLASSES.includes(state.slice(0, 2)) || TRANSIENT_CODES.includes(state);
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  if (code !== undefined && NETWORK_CODES.has(code)) return true;
  return /connection terminated|not queryable|timeout exceeded when trying to connect|connection timeout/i.test(
    message,
  );
}

/**
 * lock_not_available: another transaction holds a lock for longer than `lock_timeout`. The statement changed nothing, and can be
 * retried.
 */
export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(error) === '55P03';
}

/**
 * query_canceled: the statement took longer than `statement_timeout`, and changed nothing. The server is available, so the same
 * statement would probably take as long again.
 */
export function isStatementTimeout(error: unknown): boolean {
  return sqlStateOf(error) === '57014';
}
