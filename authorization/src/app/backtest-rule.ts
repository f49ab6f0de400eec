/**
 * Evaluates an expression on payments that were decided, with their stored facts. Writes nothing, and never delays a decision.
 */
import { setImmediate } from 'node:timers/promises';
import { readUntil } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { compileExpression, type Expression } from '../cel/expression.ts';
import { toContext } from '../cel/vocabulary.ts';
import { AuthorizationError } from '../domain/errors.ts';
import type { Database } from '../store/database.ts';
import { type DecidedPayment, type DecidedPosition, listDecidedPayments } from '../store/decided-payments.ts';
import { stepsOf } from './save-rule.ts';

interface BacktestDeps {
  /** A connection pool of its own, so that decisions never wait for a connection. */
  backtestDb: Kysely<Database>;
  now: () => Date;
}

export interface Period {
  from: Date;
  to: Date;
}

export interface Backtest {
  tried: number;
  matched: number;
  /** The matched payments that were approved without a matching ALLOW rule. */
  newlyDeclined: number;
  errors: number;
  /** Ids of newly declined payments, newest first. */
  samplePaymentIds: string[];
  firstError: string;
  /** True if the period has more payments than were tried. */
  truncated: boolean;
}

const MAX_TRIED = 100_000;
/** A few milliseconds of work. Then other requests get the event loop. */
const PAGE = 200;
const MAX_SAMPLES = 20;

/** Reading one page takes milliseconds. */
const MAX_STATEMENT_MS = 10_000;

/** Throws INVALID_ARGUMENT with the place of a mistake. */
export function validExpression(source: string): Expression {
  stepsOf(source);
  return compileExpression(source);
}

/** Tries the newest payments first. Throws DEADLINE_PASSED, DEADLINE_EXCEEDED. */
export async function backtestRule(
  { backtestDb, now }: BacktestDeps,
  { expression, period, deadline }: { expression: Expression; period: Period; deadline: Date },
): Promise<Backtest> {
  const result = emptyBacktest();
  const limits = { deadline, maxStatementMs: MAX_STATEMENT_MS };
  let after: DecidedPosition | undefined;
  for (;;) {
    if (deadline <= now()) throw deadlinePassed();
    const limit = Math.min(PAGE, MAX_TRIED - result.tried);
    // Reads one row more than it tries; that row shows that there are others.
    const page = await readUntil(backtestDb, limits, (trx) =>
      listDecidedPayments(trx, { ...period, after, limit: limit + 1 }),
    );
    for (const payment of page.slice(0, limit)) tryOn(payment, expression, result);
    after = page[limit - 1];
    result.truncated = page.length > limit && result.tried >= MAX_TRIED;
    if (page.length <= limit || result.truncated) return result;
    await setImmediate();
  }
}

function emptyBacktest(): Backtest {
  const counts = { tried: 0, matched: 0, newlyDeclined: 0, errors: 0 };
  return { ...counts, samplePaymentIds: [], firstError: '', truncated: false };
}

function tryOn(payment: DecidedPayment, expression: Expression, result: Backtest): void {
  result.tried += 1;
  const tried = expression.tryOn(toContext(payment.facts));
  if ('error' in tried) {
    result.errors += 1;
    if (result.firstError === '') result.firstError = `${payment.paymentId}: ${tried.error}`;
    return;
  }
  if (!tried.matched) return;
  result.matched += 1;
  if (!payment.approved || payment.allowed) return;
  result.newlyDeclined += 1;
  if (result.samplePaymentIds.length < MAX_SAMPLES) result.samplePaymentIds.push(payment.paymentId);
}

function deadlinePassed(): AuthorizationError {
  return new AuthorizationError(
    'DEADLINE_PASSED',
    'The deadline passed before all payments were tried. A shorter period takes less time.',
  );
}
