/** Translates between messages of the contract and types of this service. */
import { CaptureMode } from '@payflowx/proto/authorization';
import {
  type CreatePaymentRequest,
  type CreatePaymentResponse,
  type GetRecoveryStatusResponse,
  type ListPaymentsRequest,
  type RecoveryBacklog,
  PaymentState as StateCode,
} from '@payflowx/proto/payment';
import type { Created } from '../app/create-payment.ts';
import type { RecoveryStatus } from '../app/get-recovery-status.ts';
import type { ListRequest } from '../app/list-payments.ts';
import { PaymentError } from '../domain/errors.ts';
import type { CaptureMode as CaptureModeName, PaymentRequest } from '../domain/order.ts';
import { type Caller, PAYMENT_STATES, type PaymentState } from '../domain/payment.ts';
import { STATE_CODES, toPaymentMessage } from '../messages/payment-message.ts';
import { messageFor } from './visible-decision.ts';

export function toPaymentRequest(request: CreatePaymentRequest): PaymentRequest {
  return { ...request, captureMode: toCaptureMode(request.captureMode) };
}

/** Unspecified means automatic. Returns undefined for a number that is not in the contract. */
function toCaptureMode(code: CaptureMode): CaptureModeName | undefined {
  switch (code) {
    case CaptureMode.UNSPECIFIED:
    case CaptureMode.AUTOMATIC:
      return 'AUTOMATIC';
    case CaptureMode.MANUAL:
      return 'MANUAL';
    default:
      return undefined;
  }
}

export function toCreatedResponse(caller: Caller, created: Created): CreatePaymentResponse {
  const { payment, replayed } = created;
  return { payment: messageFor(caller, toPaymentMessage(payment)), replayed };
}

/** Throws INVALID_ARGUMENT for a state that is not in the contract. */
export function toListRequest(request: ListPaymentsRequest): ListRequest {
  const { pageSize, pageToken, state, createdAfter, createdBefore, amountMinMinor, amountMaxMinor } = request;
  return {
    pageSize,
    pageToken,
    filter: {
      accountId: request.accountId || undefined,
      state: toState(state),
      currency: request.currency || undefined,
      reference: request.reference || undefined,
      createdAfter,
      createdBefore,
      amountMinMinor,
      amountMaxMinor,
    },
  };
}

export function toRecoveryStatusMessage({
  payments,
  operations,
  outbox,
  clock,
}: RecoveryStatus): GetRecoveryStatusResponse {
  return {
    payments: toBacklogMessage(payments),
    operations: toBacklogMessage(operations),
    clockAheadMs: BigInt(clock?.aheadMs ?? 0),
    clockComparedAt: clock?.comparedAt,
    outbox,
  };
}

function toBacklogMessage({ waiting, stuck, stuckIds }: RecoveryStatus['payments']): RecoveryBacklog {
  return { waitingCount: BigInt(waiting), stuckCount: BigInt(stuck), stuckIds };
}

function toState(code: StateCode): PaymentState | undefined {
  if (code === StateCode.UNSPECIFIED) return undefined;
  const state = PAYMENT_STATES.find((name) => STATE_CODES[name] === code);
  if (state) return state;
  throw new PaymentError('INVALID_ARGUMENT', 'The request is not valid.', {
    violations: [{ field: 'state', description: 'must be a state of a payment' }],
  });
}
