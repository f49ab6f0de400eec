/** A connection to Postgres whose statements are prepared, and whose answers V8 lets go of when we do. */
import type { Socket } from 'node:net';
import pg from 'pg';

/** Statements beyond this many different texts are sent unprepared: a server-side plan each would only cost memory. */
const MAX_PREPARED = 300;

/** How much longer than Postgres' own limit for a statement its answer may take. */
const ANSWER_GRACE_MS = 5_000;

const names = new Map<string, string>();

function nameOf(text: string): string | undefined {
  if (!names.has(text) && names.size < MAX_PREPARED) names.set(text, `s${names.size}`);
  return names.get(text);
}

/**
 * Prepares every statement with parameters under a name of its text: Kysely sends no names, so Postgres would parse and plan each
 * statement anew. https://node-postgres.com/features/queries#prepared-statements
 *
 * The promise is ours. pg settles its own by a function literal that it assigns to a property; V8 takes such a function for a method
 * and puts it into the old generation at once, where it keeps the promise, and with it all rows, until the next full marking
 * (docs/internals/cost.md). pg's `query_timeout` is settled the same way: do not use it.
 *
 * A server that vanished without a word would hold a statement until TCP gives up, which takes about 15 minutes. So a connection
 * is destroyed when an answer is overdue: Postgres breaks a statement off after `statement_timeout`, if it is there.
 */
export class PreparingClient extends pg.Client {
  readonly #answerMs: number | undefined;

  constructor(config: pg.ClientConfig = {}) {
    super(config);
    this.#answerMs = config.statement_timeout ? config.statement_timeout + ANSWER_GRACE_MS : undefined;
  }

  // pg declares a dozen overloads; Kysely and we use (text, values), pg's own pool the others.
  // biome-ignore lint/suspicious/noExplicitAny: the overloads cannot be restated here.
  override query(text: any, values?: any, callback?: any): any {
    if (typeof text !== 'string' || !Array.isArray(values) || callback) {
      return super.query(text, values, callback);
    }
    const name = values.length > 0 ? nameOf(text) : undefined;
    return new Promise((resolve, reject) => {
      const overdue = this.#answerMs && setTimeout(() => this.#destroy(), this.#answerMs);
      const done = (error: Error | null, result: pg.QueryResult) => {
        if (overdue) clearTimeout(overdue);
        if (error) reject(error);
        else resolve(result);
      };
      super.query({ text, values, ...(name && { name }) }, done);
    });
  }

  /** What waits for an answer is rejected, as it is when the server closes the connection. */
  #destroy(): void {
    const { connection } = this as unknown as { connection: { stream: Socket } };
    connection.stream.destroy();
  }
}
