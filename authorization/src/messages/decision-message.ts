/** Converts a decision to the contract's message, which is returned and stored for retries. */
import { Decision as DecisionMessage, MovementKind, Outcome } from '@payflowx/proto/authorization';
import { DECLINES } from '@payflowx/proto/declines';
import type { Decision } from '../domain/decision.ts';

export type { DecisionMessage };

export function encodeDecision(message: DecisionMessage): Buffer {
  return Buffer.from(DecisionMessage.encode(message).finish());
}

export function decodeDecision(bytes: Uint8Array): DecisionMessage {
  return DecisionMessage.decode(bytes);
}

export function toDecisionMessage(decision: Decision, id = ''): DecisionMessage {
  const { decline } = decision;
  return {
    outcome: decline === undefined ? Outcome.APPROVED : Outcome.DECLINED,
    code: decline ?? '',
    message: decline === undefined ? '' : (decision.message ?? DECLINES[decline].message),
    limit: decision.limit,
    checks: decision.checks as DecisionMessage['checks'],
    movements: decision.movements.map(({ kind, fromAccount, toAccount, amount }) => ({
      kind: MovementKind[kind],
      fromAccount,
      toAccount,
      amountMinor: amount,
    })),
    fromOwnerId: decision.fromOwnerId ?? '',
    toOwnerId: decision.toOwnerId ?? '',
    decidedAt: decision.decidedAt,
    holdExpiresAt: decision.holdExpiresAt,
    id,
  };
}
