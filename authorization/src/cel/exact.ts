/**
 * Replaces operations of the library that differ from the CEL specification and from cel-go. These are the overflow of negation
 * and division, times and durations out of range, ASCII case, and the order of texts.
 *
 * The library stores the function of each operation on its checked node, and does not declare it. The tests fail if an update of
 * the library changes this.
 */
import { type ASTNode, EvaluationError } from '@marcbachmann/cel-js';
import { childrenOf } from './nodes.ts';
import { environment } from './vocabulary.ts';

type Handle = (...args: never[]) => unknown;

/** Needs a checked tree. */
export function makeExact(node: ASTNode & { handle?: Handle }): void {
  const exact = node.handle && exactHandle(node, node.handle);
  if (exact) node.handle = exact;
  for (const child of childrenOf(node)) makeExact(child);
}

function exactHandle(node: ASTNode, inexact: Handle): Handle | undefined {
  const handle = inexact as (...args: unknown[]) => unknown;
  switch (node.op) {
    case '-_':
      return (value: unknown, ...rest: unknown[]) => inRange(handle(value, ...rest), node);
    case '/':
    case '%':
      return (left: unknown, right: unknown, ...rest: unknown[]) => {
        // cel-go reports the overflow of the quotient for the remainder too.
        if (left === MIN_INT && right === -1n) throw overflow(node);
        return handle(left, right, ...rest);
      };
    case '+':
    case '-': {
      const sign = node.op === '+' ? 1n : -1n;
      return (left: unknown, right: unknown, ...rest: unknown[]) =>
        isTime(left) || isTime(right) ? timeSum(left, right, { sign, node }) : handle(left, right, ...rest);
    }
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const holds = ORDERS[node.op];
      return (left: unknown, right: unknown, ...rest: unknown[]) =>
        typeof left === 'string' && typeof right === 'string'
          ? holds(byCodePoints(left, right))
          : handle(left, right, ...rest);
    }
    case 'rcall': {
      const [method] = node.args;
      const change = CASES[method];
      return change && (([text]: [string]) => change(text));
    }
    default:
      return undefined;
  }
}

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;

function inRange(value: unknown, node: ASTNode): unknown {
  if (typeof value === 'bigint' && value > MAX_INT) throw overflow(node);
  return value;
}

/** JavaScript would also change letters outside of ASCII, and can change the length: the sign of Kelvin, or ß. */
const CASES: Record<string, ((text: string) => string) | undefined> = {
  lowerAscii: (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  upperAscii: (text) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()),
};

const ORDERS = {
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
};

/** JavaScript compares UTF-16 units, and so places emoji before some letters. UTF-8 has the order of the code points. */
function byCodePoints(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** The library's class of durations, which it does not export. */
interface Duration {
  readonly seconds: bigint;
  readonly nanos: number;
}
const Duration = environment.evaluate('duration("0s")').constructor as new (
  seconds: bigint,
  nanos: number,
) => Duration;

type Time = Date | Duration;

function isTime(value: unknown): value is Time {
  return value instanceof Date || value instanceof Duration;
}

const NANOS = 1_000_000_000n;
const NANOS_PER_MS = 1_000_000n;

function nanosOf(value: unknown): bigint {
  if (value instanceof Date) return BigInt(value.getTime()) * NANOS_PER_MS;
  const { seconds, nanos } = value as Duration;
  return seconds * NANOS + BigInt(nanos);
}

/** The checker has found the types: a difference of two times is a duration, and a time with a duration is a time. */
function timeSum(left: unknown, right: unknown, { sign, node }: { sign: bigint; node: ASTNode }): Time {
  const nanos = nanosOf(left) + sign * nanosOf(right);
  const isMoment = left instanceof Date !== right instanceof Date;
  return isMoment ? momentOf(nanos, node) : durationOf(nanos, node);
}

const FIRST_MS = BigInt(Date.parse('0001-01-01T00:00:00Z'));
const LAST_MS = BigInt(Date.parse('9999-12-31T23:59:59.999Z'));

/** Times are between the years 1 and 9999. Rules have no unit below a second, and `now` has milliseconds. */
function momentOf(nanos: bigint, node: ASTNode): Date {
  const ms = nanos / NANOS_PER_MS;
  if (ms >= FIRST_MS && ms <= LAST_MS) return new Date(Number(ms));
  throw new EvaluationError({ code: 'time_overflow', message: 'time out of range', node });
}

/** As in cel-go, a duration is a 64-bit number of nanoseconds, so at most 292 years. */
function durationOf(nanos: bigint, node: ASTNode): Duration {
  if (nanos < MIN_INT || nanos > MAX_INT) {
    throw new EvaluationError({ code: 'time_overflow', message: 'duration out of range', node });
  }
  return new Duration(nanos / NANOS, Number(nanos % NANOS));
}

function overflow(node: ASTNode): EvaluationError {
  return new EvaluationError({ code: 'numeric_overflow', message: 'integer overflow', node });
}
