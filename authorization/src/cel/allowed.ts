/**
 * The subset of CEL that rules may use. Results are exact, and the length of the expression limits the evaluation time. So there
 * are no macros with loops, no fractions, no patterns, and no text or list that grows.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import { ExpressionError } from './expression-error.ts';
import { environment, FIELDS, STRICT_INT } from './vocabulary.ts';

const FUNCTIONS = new Set(['has', 'size', STRICT_INT, 'timestamp', 'duration']);
const METHODS = new Set(['startsWith', 'endsWith', 'contains', 'size', 'lowerAscii', 'upperAscii']);
/** Methods of `now`, in UTC. */
const TIME_METHODS = new Set([
  'getFullYear',
  'getMonth',
  'getDayOfMonth',
  'getDayOfWeek',
  'getHours',
  'getMinutes',
]);
const AVAILABLE =
  'rules can use has, size, int, timestamp, duration, startsWith, endsWith, contains, lowerAscii, upperAscii, and on now ' +
  [...TIME_METHODS].join(', ');

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;

function isLiteral(node: ASTNode, value: bigint): boolean {
  return node.op === 'value' && node.args === value;
}

/**
 * Returns the largest number of evaluation steps: the nodes of the tree. Throws ExpressionError for parts of CEL that rules may
 * not use.
 */
export function requireAllowed(node: ASTNode): number {
  switch (node.op) {
    case 'value':
      requireLiteral(node);
      return 1;
    case 'id':
      requireVariable(node);
      return 1;
    case '.':
      return 1 + requireAllowed(node.args[0]);
    case '[]':
      requireIndexed(node.args[0]);
      return 1 + sumOf(node.args);
    case 'call':
      requireCall(node, node.args[0], node.args[1]);
      return 1 + sumOf(node.args[1]);
    case 'rcall':
      requireMethod(node, node.args[0], node.args[1], node.args[2]);
      return 1 + requireAllowed(node.args[1]) + sumOf(node.args[2]);
    case '-_':
      // The smallest number has no positive counterpart, so its literal is read with its sign.
      if (isLiteral(node.args, -MIN_INT)) return 2;
      return 1 + requireAllowed(node.args);
    case '!_':
      return 1 + requireAllowed(node.args);
    case '+':
      requireNumbers(node);
      return 1 + sumOf(node.args);
    case 'list':
    case '?:':
    case '||':
    case '&&':
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'in':
    case '-':
    case '*':
    case '/':
    case '%':
      return 1 + sumOf(node.args);
    default:
      throw new ExpressionError(node, 'rules cannot use this part of CEL');
  }
}

function sumOf(nodes: readonly ASTNode[]): number {
  return nodes.reduce((sum, node) => sum + requireAllowed(node), 0);
}

function requireLiteral(node: ASTNode & { op: 'value' }): void {
  const value = node.args;
  if (typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value !== 'bigint') {
    const problem =
      typeof value === 'number'
        ? 'rules cannot use fractions: amounts are whole minor units'
        : 'literals can only be texts, whole numbers, true and false';
    throw new ExpressionError(node, problem);
  }
  if (value > MAX_INT) throw new ExpressionError(node, 'the number does not fit into 64 bits');
}

const VARIABLES = new Set([...Object.keys(FIELDS), 'metadata', 'now']);

/** The checker also accepts the names of types. */
function requireVariable(node: ASTNode & { op: 'id' }): void {
  if (VARIABLES.has(node.args)) return;
  throw new ExpressionError(node, unknownVariable(node.args));
}

export function unknownVariable(name: string): string {
  return `there is no variable ${name}: rules can use ${[...VARIABLES].join(', ')}`;
}

/** Fields need a dot, so that the checker verifies their names. Brackets are for maps and lists. */
function requireIndexed(node: ASTNode): void {
  if (/^(map|list)</.test(typeOf(node))) return;
  throw new ExpressionError(node, 'write a field with a dot, such as payment.amount');
}

function requireCall(node: ASTNode, name: string, args: readonly ASTNode[]): void {
  if (!FUNCTIONS.has(name))
    throw new ExpressionError(node, `there is no function ${name} for rules: ${AVAILABLE}`);
  const [argument] = args;
  if (name === 'has' && argument) requireKnown(argument);
  if (name === 'timestamp') requireConstant(node, argument, isDateTime, 'such as "2025-01-31T12:00:00Z"');
  if (name === 'duration') requireConstant(node, argument, isSpan, 'such as "36h", "90m" or "30s"');
}

/** has() is false for a field that does not exist, so a rule with a typing mistake would never match. */
function requireKnown(node: ASTNode): void {
  const [group, field] = node.op === '.' ? node.args : [];
  const variable = group?.op === 'id' ? group.args : undefined;
  const known: Record<string, unknown> | undefined = FIELDS[variable as keyof typeof FIELDS];
  if (variable === 'metadata' || (known && field !== undefined && Object.hasOwn(known, field))) return;
  throw new ExpressionError(node, 'has() needs a key of metadata or a field, such as has(limits.daily)');
}

const DATE_TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d{1,3})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * Accepts RFC 3339 with an existing day and at most milliseconds, the precision of `now`. The library would also accept a time
 * without an offset, in the time zone of the machine, and would read 30 February as 2 March.
 */
function isDateTime(text: string): boolean {
  const [, local = ''] = DATE_TIME.exec(text) ?? [];
  const date = new Date(`${local}Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(local) && isInRange(new Date(text));
}

/** Years 1 to 9999, also after the offset is applied. */
function isInRange(date: Date): boolean {
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9999;
}

function isSpan(text: string): boolean {
  return /^\d{1,6}[smh]$/.test(text);
}

/** Literals are evaluated when the rule is saved, so that a mistake fails then and not per payment. */
function requireConstant(
  node: ASTNode,
  argument: ASTNode | undefined,
  fits: (text: string) => boolean,
  example: string,
): void {
  const text = argument?.op === 'value' && typeof argument.args === 'string' ? argument.args : undefined;
  const problem = `the argument must be a text, ${example}`;
  if (text === undefined || !fits(text)) throw new ExpressionError(argument ?? node, problem);
  try {
    environment.evaluate(node.input.slice(node.start, node.end));
  } catch {
    throw new ExpressionError(argument ?? node, problem);
  }
}

function requireMethod(node: ASTNode, name: string, receiver: ASTNode, args: readonly ASTNode[]): void {
  if (METHODS.has(name)) return;
  if (!TIME_METHODS.has(name)) {
    throw new ExpressionError(node, `there is no function ${name} for rules: ${AVAILABLE}`);
  }
  if (receiver.op !== 'id') throw new ExpressionError(receiver, `${name}() works only on now`);
  // For other zones the library uses the time zone of the machine.
  if (args.length > 0) throw new ExpressionError(args[0] as ASTNode, `${name}() is always in UTC`);
}

function requireNumbers(node: ASTNode): void {
  const type = typeOf(node);
  if (type === 'int' || type.startsWith('google.protobuf.')) return;
  throw new ExpressionError(node, '+ works only for numbers and times');
}

/**
 * Returns the type that the checker found. The library sets it on the node but does not declare it. Without it all expressions
 * would be refused here.
 */
function typeOf(node: ASTNode & { checkedType?: { name: string } }): string {
  return node.checkedType?.name ?? '';
}
