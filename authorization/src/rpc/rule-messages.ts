/** Converts rules between the contract's messages and the types of this service. */
import type { Origin } from '@payflowx/chassis';
import { collectViolations, type Violations } from '@payflowx/chassis';
import {
  type BacktestRuleRequest,
  type BacktestRuleResponse,
  type CreateRuleRequest,
  RuleAction as RuleActionMessage,
  type Rule as RuleMessage,
  type UpdateRuleRequest,
} from '@payflowx/proto/authorization';
import type { Backtest, Period } from '../app/backtest-rule.ts';
import type { CreateRuleCommand } from '../app/save-rule.ts';
import { invalid } from '../domain/errors.ts';
import type { Rule, RuleAction, RuleChange } from '../domain/rule.ts';

const ACTIONS = new Map<RuleActionMessage, RuleAction>([
  [RuleActionMessage.DECLINE, 'DECLINE'],
  [RuleActionMessage.ALLOW, 'ALLOW'],
  [RuleActionMessage.SHADOW, 'SHADOW'],
]);

const ACTION_RULE = 'must be DECLINE, ALLOW or SHADOW';
const MAX_NAME = 100;
const MAX_MESSAGE = 200;

/** Throws INVALID_ARGUMENT with all violations, except those of the expression's content. */
export function toCreateRuleCommand(request: CreateRuleRequest, origin: Origin): CreateRuleCommand {
  const { requestId, name, expression, message, enabled } = request;
  const action = ACTIONS.get(request.action);
  const violations = collectViolations(invalid);
  violations.require(
    /^[\x21-\x7e]{0,255}$/.test(requestId),
    'request_id',
    'must be at most 255 visible ASCII characters',
  );
  violations.require(name.trim() !== '', 'name', `must be 1 to ${MAX_NAME} characters`);
  violations.requireText('name', name, MAX_NAME);
  requireExpression(violations, expression);
  violations.require(action !== undefined, 'action', ACTION_RULE);
  violations.requireText('message', message, MAX_MESSAGE);
  violations.throwIfAny();
  const terms = { expression, action: action ?? 'DECLINE', message, enabled };
  return { origin, requestId, name, terms };
}

/** Throws INVALID_ARGUMENT with all violations, except those of the expression's content. */
export function toRuleUpdate(request: UpdateRuleRequest): {
  ruleId: string;
  expectedVersion: bigint;
  change: RuleChange;
} {
  const { ruleId, expectedVersion, expression, message, enabled } = request;
  const action = ACTIONS.get(request.action);
  const isNewAction = request.action !== RuleActionMessage.UNSPECIFIED;
  const violations = collectViolations(invalid);
  violations.require(
    expectedVersion >= 1n,
    'expected_version',
    'must be the version that the caller last read',
  );
  if (expression !== undefined) requireExpression(violations, expression);
  violations.require(!isNewAction || action !== undefined, 'action', ACTION_RULE);
  if (message !== undefined) violations.requireText('message', message, MAX_MESSAGE);
  violations.throwIfAny();
  return { ruleId, expectedVersion, change: { expression, action, message, enabled } };
}

const DAY_MS = 86_400_000;

/** Throws INVALID_ARGUMENT. */
export function toBacktestPeriod(request: BacktestRuleRequest, now: Date): Period {
  const { expression, to = now, from = new Date(to.getTime() - DAY_MS) } = request;
  const violations = collectViolations(invalid);
  requireExpression(violations, expression);
  violations.require(from < to, 'from', 'must be before to');
  violations.throwIfAny();
  return { from, to };
}

function requireExpression(violations: Violations, expression: string): void {
  violations.require(expression.trim() !== '', 'expression', 'must be given');
  violations.require(!expression.includes('\0'), 'expression', 'must not contain the character NUL');
}

export function toRuleMessage(rule: Rule): RuleMessage {
  const { callerId, clientId = '', traceId, callId = '' } = rule.origin;
  return { ...rule, action: RuleActionMessage[rule.action], createdBy: callerId, clientId, traceId, callId };
}

export function toBacktestMessage(result: Backtest): BacktestRuleResponse {
  return {
    triedCount: BigInt(result.tried),
    matchedCount: BigInt(result.matched),
    newlyDeclinedCount: BigInt(result.newlyDeclined),
    errorCount: BigInt(result.errors),
    samplePaymentIds: result.samplePaymentIds,
    firstError: result.firstError,
    truncated: result.truncated,
  };
}
