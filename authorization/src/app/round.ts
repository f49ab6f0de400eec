/**
 * Decides a batch of steps in order, each on the state that the steps before it left. Pure: all data is read before, and the rows
 * to write are collected for the end.
 */
import { hash } from 'node:crypto';
import { failed, ok, type Result } from '@payflowx/chassis';
import type { Account } from '../domain/account.ts';
import { decide } from '../domain/decide.ts';
import type { DecideContext } from '../domain/decision-context.ts';
import { AuthorizationError } from '../domain/errors.ts';
import type { Hold } from '../domain/hold.ts';
import type { PaymentRequest, StepRequest } from '../domain/step-request.ts';
import type { DecidedBatch, DecidedStep } from '../store/decided-batch.ts';
import { toDecisionMessage } from '../store/decision-message.ts';
import { type Answer, type KnownDecision, stepKey } from '../store/decisions.ts';

/** A step to decide. */
export interface Command {
  request: StepRequest;
  /** The caller's deadline. Undefined: the step has none. */
  deadline: Date | undefined;
}

export interface Round {
  readonly accounts: Map<string, Account>;
  /** By payment id: holds that were read, and holds made in this round. */
  readonly holds: Map<string, Hold>;
  readonly known: Map<string, KnownDecision>;
  readonly context: DecideContext;
  readonly steps: DecidedStep[];
  readonly changedAccounts: Set<string>;
  readonly changedHolds: Set<string>;
  readonly newHolds: Set<string>;
}

export function startRound(read: Pick<Round, 'accounts' | 'holds' | 'known'>, context: DecideContext): Round {
  return {
    ...read,
    context,
    steps: [],
    changedAccounts: new Set(),
    changedHolds: new Set(),
    newHolds: new Set(),
  };
}

/** Returns the stored response of a command, or decides it and applies the decision to the round. */
export function answer(round: Round, { request, deadline }: Command): Result<Answer> {
  try {
    return ok(knownAnswer(round, request) ?? newAnswer(round, request, deadline));
  } catch (error) {
    if (error instanceof AuthorizationError) return failed(error);
    throw error;
  }
}

function knownAnswer(round: Round, request: StepRequest): Answer | undefined {
  const earlier = round.known.get(stepKey(request));
  if (earlier === undefined) return undefined;
  if (earlier.fingerprint === fingerprintOf(request)) return earlier.answer;
  throw new AuthorizationError('OPERATION_REUSED', 'This step was already decided for another request.');
}

function newAnswer(round: Round, request: StepRequest, deadline: Date | undefined): Answer {
  if (deadline !== undefined && deadline <= round.context.now) {
    throw new AuthorizationError('DEADLINE_PASSED', 'The deadline passed before it was decided.');
  }
  const { decision, changed, hold, remaining, basis, askAgainAt } = decide(request, round, round.context);
  if (askAgainAt !== undefined) return { decision: toDecisionMessage(decision), remaining, askAgainAt };
  if (hold !== undefined) applyHold(round, request, hold);
  for (const account of changed) {
    round.accounts.set(account.id, account);
    round.changedAccounts.add(account.id);
  }
  const { kind, paymentId, operationId } = request;
  const fingerprint = fingerprintOf(request);
  const stepAnswer = { decision: toDecisionMessage(decision), remaining };
  const { decline } = decision;
  round.steps.push({ kind, paymentId, operationId, fingerprint, decline, answer: stepAnswer, basis });
  round.known.set(stepKey(request), { fingerprint, answer: stepAnswer });
  return stepAnswer;
}

function applyHold(round: Round, { kind }: StepRequest, hold: Hold): void {
  const { paymentId } = hold;
  if (kind === 'AUTHORIZE') {
    if (round.holds.has(paymentId)) {
      throw new AuthorizationError('OPERATION_REUSED', 'Money is held for this payment by another step.');
    }
    round.newHolds.add(paymentId);
  } else if (!round.newHolds.has(paymentId)) {
    round.changedHolds.add(paymentId);
  }
  round.holds.set(paymentId, hold);
}

/** Returns the rows that the batch writes. */
export function outcomeOf({ context, ...round }: Round): DecidedBatch {
  return {
    steps: round.steps,
    changed: [...round.accounts.values()].filter(({ id }) => round.changedAccounts.has(id)),
    newHolds: [...round.holds.values()].filter(({ paymentId }) => round.newHolds.has(paymentId)),
    changedHolds: [...round.holds.values()].filter(({ paymentId }) => round.changedHolds.has(paymentId)),
    decidedAt: context.now,
  };
}

/**
 * The request fingerprint. It leaves out the caller's roles, which may change before a retry, and the seconds of a hold. Earlier
 * versions of the caller do not send the seconds, and they follow from fields that are compared.
 */
function fingerprintOf(request: StepRequest): string {
  const text = [request.kind, ...factsOf(request)].join('\n');
  return hash('sha256', text, 'base64url');
}

function factsOf(request: StepRequest): unknown[] {
  switch (request.kind) {
    case 'AUTHORIZE': {
      const { fromAccount, toAccount, amount, currency, captureMode, callerId, holdExpiresAt } = request;
      const until = holdExpiresAt?.getTime();
      return [fromAccount, toAccount, amount, currency, captureMode, callerId, until, ...wordsOf(request)];
    }
    case 'CAPTURE':
      return [request.amount, request.final];
    case 'RELEASE':
      return [request.cause];
    case 'REFUND':
      return [request.fromAccount, request.toAccount, request.amount, request.currency];
  }
}

/** Returns the payer's texts, if any. Without them a request has the same fingerprint as in earlier versions. */
function wordsOf({ description, reference, metadata }: PaymentRequest): string[] {
  const pairs = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  const words = [description, reference, ...pairs.flat()];
  return words.some((word) => word !== '') ? [JSON.stringify(words)] : [];
}
