/** Translates a capture to the message of the contract. */
import { Decision, MovementKind } from '@payflowx/proto/authorization';
import { type Capture, CaptureState } from '@payflowx/proto/payment';
import type { Operation } from '../domain/operation.ts';
import type { Payment } from '../domain/payment.ts';
import { operationFields } from './operation-fields.ts';

export const CAPTURE_STATE_CODES = {
  PENDING: CaptureState.PENDING,
  COMPLETED: CaptureState.COMPLETED,
  DECLINED: CaptureState.FAILED,
} as const satisfies Record<Operation['state'], CaptureState>;

export function toCaptureMessage(operation: Operation, payment: Payment): Capture {
  const { state, final } = operation;
  return {
    ...operationFields(operation, payment),
    state: CAPTURE_STATE_CODES[state],
    amountMinor: amountOf(operation),
    final,
  };
}

/** The captured amount. A capture of the rest may have taken more than it reserved, if another capture was declined meanwhile. */
function amountOf({ state, amountMinor, decision }: Operation): bigint {
  if (state !== 'COMPLETED' || !decision) return amountMinor;
  const transfers = Decision.decode(decision).movements.filter(({ kind }) => kind === MovementKind.TRANSFER);
  return transfers.reduce((sum, transfer) => sum + transfer.amountMinor, 0n);
}
