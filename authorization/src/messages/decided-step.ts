/** Reads decisions that payment stored, with their requests, to restore what this service lost. */
import { DecidedStep, Decision, MovementKind, Outcome } from '@payflowx/proto/authorization';
import type { DeclineCode, Movement } from '../domain/decision.ts';
import type { PastDecision } from '../domain/past-decision.ts';
import type { StepRequest } from '../domain/step-request.ts';
import type { DecisionMessage } from './decision-message.ts';
import { CAUSES, toCaptureRequest, toPaymentRequest, toRefundRequest } from './step-message.ts';

/** A past decision with the message that its caller received. */
export interface RecordedDecision extends PastDecision {
  readonly message: DecisionMessage;
}

/** Throws if the message is not complete. */
export function decodeDecidedStep(bytes: Uint8Array): RecordedDecision {
  const { request, decision } = DecidedStep.decode(bytes);
  const message = Decision.decode(decision);
  const { outcome, code, decidedAt, holdExpiresAt, fromOwnerId, toOwnerId } = message;
  if (!request || !decidedAt || outcome === Outcome.UNSPECIFIED)
    throw new Error('A decision has no request, no time or no outcome.');
  return {
    request: toRequest(request),
    decline: outcome === Outcome.APPROVED ? undefined : (code as DeclineCode),
    movements: message.movements.map(toMovement),
    decidedAt,
    holdExpiresAt,
    owners: { from: fromOwnerId || undefined, to: toOwnerId || undefined },
    message,
  };
}

function toRequest(request: NonNullable<DecidedStep['request']>): StepRequest {
  switch (request.$case) {
    case 'authorize':
      return toPaymentRequest(request.value);
    case 'capture':
      return toCaptureRequest(request.value);
    case 'refund':
      return toRefundRequest(request.value);
    case 'release': {
      const { paymentId, operationId, cause } = request.value;
      const known = CAUSES.get(cause);
      if (!known) throw new Error(`The release ${operationId} has no cause.`);
      return { kind: 'RELEASE', paymentId, operationId, cause: known };
    }
  }
}

const KINDS = new Map<MovementKind, Movement['kind']>([
  [MovementKind.HOLD, 'HOLD'],
  [MovementKind.RELEASE, 'RELEASE'],
  [MovementKind.TRANSFER, 'TRANSFER'],
]);

function toMovement({ kind, fromAccount, toAccount, amountMinor }: Decision['movements'][number]): Movement {
  const known = KINDS.get(kind);
  if (!known) throw new Error(`A movement has the unknown kind ${kind}.`);
  return { kind: known, fromAccount, toAccount, amount: amountMinor };
}
