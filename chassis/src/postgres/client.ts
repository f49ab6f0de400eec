/** A connection to Postgres that prepares its statements, and whose results V8 frees early. */
import type { Socket } from 'node:net';
import pg from 'pg';
import { sqlStateOf } from '../sql-state.ts';

/** After this many different texts, further statements are not prepared: each plan on the server would only cost memory. */
const MAX_PREPARED = 300;

/** Milliseconds that the response may come later than Postgres' own limit for a statement. */
const ANSWER_GRACE_MS = 5_000;

export type PreparingClientConfig = pg.ClientConfig & {
  /** Called for each response of the server. */
  onAnswer?: (() => void) | undefined;
};

/** An error with an SQLSTATE comes from the server, any other from the connection. */
const isAnswer = (error: Error | null) => error === null || sqlStateOf(error) !== undefined;

const names = new Map<string, string>();

function nameOf(text: string): string | undefined {
  if (!names.has(text) && names.size < MAX_PREPARED) names.set(text, `s${names.size}`);
  return names.get(text);
}

/**
 * Prepares every statement with parameters, under a name for its text. Kysely sends no names, so Postgres would parse and plan
 * each statement again. https://node-postgres.com/features/queries#prepared-statements
 *
 * `query` creates its own promise. pg settles its promise by a function literal that it assigns to a property. V8 treats such a
 * function as a method, and allocates it in the old generation. There it keeps the promise and all rows until the next full
 * marking (docs/internals/cost.md). pg's `query_timeout` is settled the same way: do not use it.
 *
 * If a server vanishes without closing the connection, a statement would wait for the TCP timeout, about 15 minutes. So the
 * connection is destroyed if a response is overdue. A live Postgres aborts the statement after `statement_timeout`.
 */
export class PreparingClient extends pg.Client {
  readonly #answerMs: number | undefined;
  readonly #onAnswer: (() => void) | undefined;

  constructor(config: PreparingClientConfig = {}) {
    super(config);
    this.#onAnswer = config.onAnswer;
    this.#answerMs = config.statement_timeout ? config.statement_timeout + ANSWER_GRACE_MS : undefined;
  }

  // pg declares a dozen overloads. Kysely and our code use (text, values), and pg's own pool the others.
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
        if (this.#onAnswer && isAnswer(error)) this.#onAnswer();
        if (error) reject(error);
        else resolve(result);
      };
      super.query({ text, values, ...(name && { name }) }, done);
    });
  }

  /** Pending queries are rejected, as they are when the server closes the connection. */
  #destroy(): void {
    const { connection } = this as unknown as { connection: { stream: Socket } };
    connection.stream.destroy();
  }
}
