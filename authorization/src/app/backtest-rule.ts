/** Tries an expression on payments that were decided, with the facts as they were. Writes nothing, and never holds up a decision. */
import { setImmediate } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { compileExpression, type Expression } from '../cel/expression.ts';
import { toContext } from '../cel/vocabulary.ts';
import { AuthorizationError } from '../domain/errors.ts';
import type { Database } from '../store/database.ts';
import { type DecidedPayment, type DecidedPosition, listDecidedPayments } from '../store/decided-payments.ts';
import { stepsOf } from './save-rule.ts';

interface BacktestDeps {
  /** Connections of its own: those of decisions are never waited for. */
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
  /** Among the matched, those that were approved and that no rule let pass whatever others say. */
  newlyDeclined: number;
  errors: number;
  /** Of the newly declined, newest first. */
  samplePaymentIds: string[];
  firstError: string;
  /** Whether the period has more payments than were tried. */
  truncated: boolean;
}

const MAX_TRIED = 100_000;
/** Few milliseconds of work; then others have their turn. */
const PAGE = 200;
const MAX_SAMPLES = 20;

/** Newest payments first. Throws INVALID_ARGUMENT for a bad expression, DEADLINE_PASSED. */
export async function backtestRule(
  { backtestDb, now }: BacktestDeps,
  { expression: source, period, deadline }: { expression: string; period: Period; deadline: Date },
): Promise<Backtest> {
  const expression = goodExpression(source);
  const result = emptyBacktest();
  let after: DecidedPosition | undefined;
  for (;;) {
    if (deadline <= now()) throw tooLate();
    const limit = Math.min(PAGE, MAX_TRIED - result.tried);
    // One more than is tried shows whether there are others.
    const page = await listDecidedPayments(backtestDb, { ...period, after, limit: limit + 1 });
    for (const payment of page.slice(0, limit)) tryOn(payment, expression, result);
    after = page[limit - 1];
    result.truncated = page.length > limit && result.tried >= MAX_TRIED;
    if (page.length <= limit || result.truncated) return result;
    await setImmediate();
  }
}

function goodExpression(source: string): Expression {
  stepsOf(source);
  return compileExpression(source);
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

function tooLate(): AuthorizationError {
  return new AuthorizationError(
    'DEADLINE_PASSED',
    'The deadline passed before all payments were tried. A shorter period takes less time.',
  );
}
