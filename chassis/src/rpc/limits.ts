/**
 * Refuses request fields beyond the limits of the contract (proto/payflowx/limits/v1/limits.proto). The server checks every request
 * before its handler runs. The items of a batch are checked by the service, because each has its own result.
 */
import {
  type FieldLimits,
  type LimitedMessage,
  MESSAGE_LIMITS,
  REQUEST_OF_RPC,
} from '@payflowx/proto/limits';
import { textProblem, type Violation } from '../errors.ts';
import { CallError } from './errors.ts';

/** Enough to correct a request. More would make the error itself large. */
const MAX_VIOLATIONS = 20;

/** Throws CallError INVALID_ARGUMENT if a field of the message is beyond its limits. */
export type LimitsCheck = (message: object) => void;

/** Returns the check of an RPC's request. Throws for an RPC that is not in the contracts. */
export function limitsOfRequest(path: string): LimitsCheck {
  return limitsOf(requestOf(path));
}

/** Returns the size of the largest request of an RPC within its limits. Throws for an RPC that is not in the contracts. */
export function maxRequestBytes(path: string): number {
  return MESSAGE_LIMITS[requestOf(path)]?.maxBytes ?? 0;
}

function requestOf(path: string): LimitedMessage {
  const message = REQUEST_OF_RPC[path];
  if (message === undefined) throw new Error(`The contracts have no limits for the request of ${path}.`);
  return message;
}

/** Returns the check of a message. Services check the items of a batch with it. */
export function limitsOf(message: LimitedMessage): LimitsCheck {
  const addViolations = compiled(message);
  return (value) => {
    const violations: Violation[] = [];
    addViolations(value, violations);
    if (violations.length === 0) return;
    throw new CallError('INVALID_ARGUMENT', 'The request is not valid.', {
      violations: violations.slice(0, MAX_VIOLATIONS),
    });
  };
}

type Fields = Readonly<Record<string, unknown>>;
/** Adds violations with paths relative to the value. The paths are only built for violations, so a valid request costs no text. */
type AddViolations = (value: unknown, violations: Violation[]) => void;

function compiled(message: string): AddViolations {
  const fields = (MESSAGE_LIMITS[message]?.fields ?? []).map((limits) => ({
    key: limits.key,
    name: limits.name,
    addViolations: fieldCheck(limits),
  }));
  return (value, violations) => {
    for (const { key, name, addViolations } of fields) {
      const field = (value as Fields)[key];
      if (field !== undefined) addViolationsBelow(name, addViolations, field, violations);
    }
  };
}

function addViolationsBelow(
  path: string,
  check: AddViolations,
  value: unknown,
  violations: Violation[],
): void {
  const from = violations.length;
  check(value, violations);
  if (violations.length === from) return;
  const found = violations.splice(from);
  for (const { field, description } of found) {
    violations.push({ field: field === '' ? path : `${path}.${field}`, description });
  }
}

function fieldCheck({ message, eachAlone, maxLength, maxItems, maxKeyLength }: FieldLimits): AddViolations {
  const inside = message === undefined || eachAlone ? undefined : compiled(message);
  const checkOne = maxLength === undefined ? inside : textCheck(maxLength);
  if (maxItems === undefined) return checkOne ?? (() => {});
  return maxKeyLength === undefined
    ? listCheck(maxItems, checkOne)
    : mapCheck(maxItems, maxKeyLength, checkOne);
}

function listCheck(maxItems: number, checkOne: AddViolations | undefined): AddViolations {
  return (value, violations) => {
    const items = value as readonly unknown[];
    if (items.length > maxItems) return add(violations, `must have at most ${maxItems} elements`);
    if (!checkOne) return;
    for (const [index, item] of items.entries())
      addViolationsBelow(String(index), checkOne, item, violations);
  };
}

/** A value is named by its key, like a field. A key beyond its limits is not repeated in the error. */
function mapCheck(maxItems: number, maxKeyLength: number, checkOne: AddViolations = () => {}): AddViolations {
  return (value, violations) => {
    const pairs = Object.entries(value as Fields);
    if (pairs.length > maxItems) return add(violations, `must have at most ${maxItems} pairs`);
    for (const [key, item] of pairs) {
      const problem = problemOf(key, maxKeyLength);
      if (problem) add(violations, `keys ${problem}`);
      else addViolationsBelow(key, checkOne, item, violations);
    }
  };
}

function textCheck(maxLength: number): AddViolations {
  return (value, violations) => {
    const problem = problemOf(value as string | Uint8Array, maxLength);
    if (problem) add(violations, problem);
  };
}

function add(violations: Violation[], description: string): void {
  violations.push({ field: '', description });
}

function problemOf(value: string | Uint8Array, max: number): string | undefined {
  if (typeof value === 'string') return textProblem(value, max);
  return value.length > max ? `must be at most ${max} bytes` : undefined;
}
