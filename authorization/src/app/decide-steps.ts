/**
 * Decides a batch of steps in order, each on the state that the steps before it left. Pure: all data is read before, and the rows
 * to write are collected for the end.
 */
import { hash } from 'node:crypto';
import { failed, idAt, ok, type Result } from '@payflowx/chassis';
import type { Account } from '../domain/account.ts';
import { decide } from '../domain/decide.ts';
import type { DecideContext } from '../domain/decision-context.ts';
import { AuthorizationError } from '../domain/errors.ts';
import type { Hold } from '../domain/hold.ts';
import type { Mandate } from '../domain/mandate.ts';
import type { PaymentRequest, StepRequest } from '../domain/step-request.ts';
import { toDecisionMessage } from '../messages/decision-message.ts';
import type { DecidedBatch, DecidedStep } from '../store/decided-batch.ts';
import { type Answer, type KnownDecision, stepKey } from '../store/decisions.ts';

/** A step to decide. */
export interface Command {
  request: StepRequest;
  /** The caller's deadline. Undefined: the step has none. */
  deadline: Date | undefined;
}

export interface BatchState {
  readonly accounts: Map<string, Account>;
  /** By payment id: holds that were read, and holds made by this batch. */
  readonly holds: Map<string, Hold>;
  /** By id: those that the steps or their holds name. */
  readonly mandates: Map<string, Mandate>;
  readonly known: Map<string, KnownDecision>;
  readonly context: DecideContext;
  readonly steps: DecidedStep[];
  readonly changedAccounts: Set<string>;
  readonly changedHolds: Set<string>;
  readonly newHolds: Set<string>;
  readonly changedMandates: Set<string>;
}

export function startBatch(
  read: Pick<BatchState, 'accounts' | 'holds' | 'mandates' | 'known'>,
  context: DecideContext,
): BatchState {
  return {
    ...read,
    context,
    steps: [],
    changedAccounts: new Set(),
    changedHolds: new Set(),
    newHolds: new Set(),
    changedMandates: new Set(),
  };
}

/** Returns the stored response of a command, or decides it and applies the decision to the batch state. */
export function decideStep(state: BatchState, { request, deadline }: Command): Result<Answer> {
  try {
    return ok(storedAnswer(state, request) ?? newAnswer(state, request, deadline));
  } catch (error) {
    if (error instanceof AuthorizationError) return failed(error);
    throw error;
  }
}

function storedAnswer(state: BatchState, request: StepRequest): Answer | undefined {
  const earlier = state.known.get(stepKey(request));
  if (earlier === undefined) return undefined;
  if (earlier.fingerprint === fingerprintOf(request)) return earlier.answer;
  throw new AuthorizationError('OPERATION_REUSED', 'This step was already decided for another request.');
}

function newAnswer(state: BatchState, request: StepRequest, deadline: Date | undefined): Answer {
  if (deadline !== undefined && deadline <= state.context.now) {
    throw new AuthorizationError('DEADLINE_PASSED', 'The deadline passed before it was decided.');
  }
  const now = timeOf(state, request);
  const context = { ...state.context, now };
  const { decision, changed, hold, mandate, remaining, basis, retryAt } = decide(request, state, context);
  if (retryAt !== undefined) return { decision: toDecisionMessage(decision), remaining, retryAt };
  if (hold !== undefined) applyHold(state, request, hold);
  if (mandate !== undefined) {
    state.mandates.set(mandate.id, mandate);
    state.changedMandates.add(mandate.id);
  }
  for (const account of changed) {
    state.accounts.set(account.id, account.isExternal ? account : { ...account, decidedAt: now });
    state.changedAccounts.add(account.id);
  }
  const { kind, paymentId, operationId } = request;
  const fingerprint = fingerprintOf(request);
  const id = idAt('dec', now, state.steps.length);
  const stepAnswer = { decision: toDecisionMessage(decision, id), remaining };
  const { decline } = decision;
  state.steps.push({ kind, paymentId, operationId, fingerprint, decline, answer: stepAnswer, basis });
  state.known.set(stepKey(request), { fingerprint, answer: stepAnswer });
  return stepAnswer;
}

/** Clocks that are synchronized differ by much less. */
const MAX_AHEAD_MS = 60_000;

/**
 * Returns the time of the decision: by the clock, but later than the last decision on each of its accounts. So the times of one
 * account's changes are in their order, also if two instances have different clocks. Steps of one batch may have the same time.
 * Their ids then have their order.
 *
 * A last decision that is far ahead was dated by a wrong clock. It is ignored, or that time would reach every account that is paid
 * from this one.
 */
function timeOf({ accounts, holds, changedAccounts, context }: BatchState, request: StepRequest): Date {
  let latest = context.now;
  const { fromAccount, toAccount } = accountsOf(request, holds);
  for (const id of [fromAccount, toAccount]) {
    const last = accounts.get(id)?.decidedAt;
    if (last === undefined) continue;
    if (last.getTime() - context.now.getTime() > MAX_AHEAD_MS) continue;
    const earliest = changedAccounts.has(id) ? last : new Date(last.getTime() + 1);
    if (earliest > latest) latest = earliest;
  }
  return latest;
}

/** A capture or release names a hold. Without it, the decision fails. */
function accountsOf(request: StepRequest, holds: BatchState['holds']) {
  if (request.kind === 'AUTHORIZE' || request.kind === 'REFUND') return request;
  return holds.get(request.paymentId) ?? { fromAccount: '', toAccount: '' };
}

function applyHold(state: BatchState, { kind }: StepRequest, hold: Hold): void {
  const { paymentId } = hold;
  if (kind === 'AUTHORIZE') {
    if (state.holds.has(paymentId)) {
      throw new AuthorizationError('OPERATION_REUSED', 'Money is held for this payment by another step.');
    }
    state.newHolds.add(paymentId);
  } else if (!state.newHolds.has(paymentId)) {
    state.changedHolds.add(paymentId);
  }
  state.holds.set(paymentId, hold);
}

/** Returns the rows that the batch writes. */
export function resultOf({ context, ...state }: BatchState): DecidedBatch {
  return {
    steps: state.steps,
    changed: [...state.accounts.values()].filter(({ id }) => state.changedAccounts.has(id)),
    newHolds: [...state.holds.values()].filter(({ paymentId }) => state.newHolds.has(paymentId)),
    changedHolds: [...state.holds.values()].filter(({ paymentId }) => state.changedHolds.has(paymentId)),
    changedMandates: [...state.mandates.values()].filter(({ id }) => state.changedMandates.has(id)),
    decidedAt: context.now,
  };
}

/**
 * The request fingerprint. It leaves out the caller's roles, which may change before a retry, and the seconds of a hold. Earlier
 * versions of the caller do not send the seconds, and they follow from fields that are compared.
 */
export function fingerprintOf(request: StepRequest): string {
  const text = [request.kind, ...factsOf(request)].join('\n');
  return hash('sha256', text, 'base64url');
}

function factsOf(request: StepRequest): unknown[] {
  switch (request.kind) {
    case 'AUTHORIZE': {
      const { fromAccount, toAccount, amount, currency, captureMode, callerId, holdExpiresAt } = request;
      const until = holdExpiresAt?.getTime();
      const facts = [fromAccount, toAccount, amount, currency, captureMode, callerId, until];
      // Without a mandate a request has the same fingerprint as in earlier versions.
      const mandate = request.mandateId === undefined ? [] : [request.mandateId];
      return [...facts, ...textsOf(request), ...mandate];
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
function textsOf({ description, reference, metadata }: PaymentRequest): string[] {
  const pairs = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  const texts = [description, reference, ...pairs.flat()];
  return texts.some((text) => text !== '') ? [JSON.stringify(texts)] : [];
}
