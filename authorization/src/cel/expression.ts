/** The expression of a rule: checked once, then evaluated for every payment. */
import {
  type ASTNode,
  type Context,
  EvaluationError,
  ParseError,
  TypeError as TypeProblem,
} from '@marcbachmann/cel-js';
import type { Tried } from '../domain/judge-rules.ts';
import { requireAllowed, unknownVariable } from './allowed.ts';
import { makeExact } from './exact.ts';
import { ExpressionError, type PayerText, placeOf } from './expression-error.ts';
import { childrenOf } from './nodes.ts';
import { environment, LIMITS, STRICT_INT } from './vocabulary.ts';

const MAX_LENGTH = 2_000;

export interface Expression {
  /** The largest number of evaluation steps. */
  readonly cost: number;
  /** The first text of the payer that it reads. Undefined if it reads none. */
  readonly payerText: PayerText | undefined;
  /** Never throws. The context comes from toContext. */
  tryOn(context: Context): Tried;
}

/** Throws ExpressionError with the place and the problem. */
export function compileExpression(source: string): Expression {
  if ([...source].length > MAX_LENGTH) {
    throw new ExpressionError({ input: source, start: MAX_LENGTH }, `longer than ${MAX_LENGTH} characters`);
  }
  const input = withStrictInt(source);
  const evaluate = parse(input);
  const { valid, type, error } = evaluate.check();
  if (!valid) throw toExpressionError(error, input);
  if (type !== 'bool') {
    throw new ExpressionError({ input, start: 0 }, `must be true or false, not of type ${type}`);
  }
  const cost = requireAllowed(evaluate.ast);
  makeExact(evaluate.ast);
  return {
    cost,
    payerText: payerTextIn(evaluate.ast),
    tryOn(context) {
      try {
        const matched: unknown = evaluate(context);
        return typeof matched === 'boolean' ? { matched } : { error: 'it is neither true nor false' };
      } catch (caught) {
        return { error: failureOf(caught, source) };
      }
    },
  };
}

function parse(input: string) {
  try {
    return environment.parse(input);
  } catch (caught) {
    throw toExpressionError(caught, input);
  }
}

/**
 * Replaces calls of int by the stricter function. Its name has the same length, so that all positions in the text stay the same.
 */
function withStrictInt(source: string): string {
  const starts = callsOf('int', parse(source).ast);
  return starts.reduce(
    (text, start) => text.slice(0, start) + STRICT_INT + text.slice(start + STRICT_INT.length),
    source,
  );
}

function callsOf(name: string, node: ASTNode): number[] {
  const inside = childrenOf(node).flatMap((child) => callsOf(name, child));
  return node.op === 'call' && node.args[0] === name ? [node.start, ...inside] : inside;
}

const PAYER_TEXTS = ['description', 'reference'];

/**
 * The payer writes metadata, description and reference. All other facts come from the accounts, or are true of the payment. The
 * whole payment as a value, as in `[payment][0].reference`, contains these texts too.
 */
function payerTextIn(node: ASTNode): PayerText | undefined {
  const { input, start } = node;
  if (node.op === 'id' && node.args === 'metadata') return { name: 'metadata', input, start };
  if (isPayment(node)) return { name: 'payment', input, start };
  if (node.op === '.' && isPayment(node.args[0])) {
    return PAYER_TEXTS.includes(node.args[1]) ? { name: `payment.${node.args[1]}`, input, start } : undefined;
  }
  for (const child of childrenOf(node)) {
    const found = payerTextIn(child);
    if (found) return found;
  }
  return undefined;
}

function isPayment(node: ASTNode): boolean {
  return node.op === 'id' && node.args === 'payment';
}

const LIMIT_TEXTS = [
  ['maxDepth', `deeper than ${LIMITS.maxDepth} levels`],
  ['maxAstNodes', `more than ${LIMITS.maxAstNodes} parts`],
  ['maxListElements', `a list of more than ${LIMITS.maxListElements} elements`],
] as const;

/** Keeps the library's summary but uses the place format of this service; the library formats its messages for a terminal. */
function toExpressionError(caught: unknown, input: string): ExpressionError {
  if (!(caught instanceof ParseError || caught instanceof TypeProblem)) {
    // The checker fails on some macros over empty lists. Rules have no macros.
    return new ExpressionError({ input, start: 0 }, 'rules cannot use this part of CEL');
  }
  const { code, summary, range } = caught;
  const start = range?.start ?? 0;
  const text = input.slice(start, range?.end ?? start);
  return new ExpressionError({ input, start }, textFor(code, text, summary));
}

function textFor(code: string, text: string, summary: string): string {
  if (code === 'no_such_key') return `there is no field ${text}`;
  if (code === 'unknown_variable') return unknownVariable(text);
  const limit = LIMIT_TEXTS.find(([name]) => code === 'limit_exceeded' && summary.includes(name));
  if (limit) return limit[1];
  const plain = summary.replace(`${STRICT_INT}(`, 'int(');
  return plain.charAt(0).toLowerCase() + plain.slice(1);
}

/** Texts by the library's error code. They contain no figures: payers see them, and a rule may read the receiver's data. */
const FAILURES: Record<string, string> = {
  no_such_key: 'is not there',
  index_out_of_bounds: 'is not there',
  numeric_overflow: 'does not fit into 64 bits',
  time_overflow: 'is not within the years 1 to 9999, or not a duration of at most 292 years',
  division_by_zero: 'divides by zero',
  modulo_by_zero: 'divides by zero',
  int_conversion_error: 'is not a whole number',
};

function failureOf(caught: unknown, source: string): string {
  if (!(caught instanceof EvaluationError)) return 'it cannot be evaluated';
  const problem = FAILURES[caught.code] ?? 'cannot be evaluated';
  if (!caught.range) return `something ${problem}`;
  const { start, end } = caught.range;
  return `${placeOf(source, start)}: ${shortened(source.slice(start, end))} ${problem}`;
}

/** This text is stored with every decision, so it is cut. The place identifies the rest. */
function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
