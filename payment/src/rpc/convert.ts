/** Translates between messages of the contract and types of this service. */
import type { Caller } from '@payflowx/chassis';
import { CaptureMode } from '@payflowx/proto/authorization';
import {
  CaptureBy,
  type CreatePaymentRequest,
  type CreatePaymentResponse,
  type GetRecoveryStatusResponse,
  type ListPaymentsRequest,
  type ListRefundsRequest,
  PaymentKind,
  type RecoveryBacklog,
  PaymentState as StateCode,
} from '@payflowx/proto/payment';
import type { Created } from '../app/create-payment.ts';
import type { RecoveryStatus } from '../app/get-recovery-status.ts';
import type { ListRequest } from '../app/list-payments.ts';
import type { OperationsRequest } from '../app/read-operations.ts';
import { viewFor } from '../domain/access.ts';
import { invalid } from '../domain/errors.ts';
import type { Operation } from '../domain/operation.ts';
import type {
  CaptureBy as CaptureByName,
  CaptureMode as CaptureModeName,
  PaymentKind as PaymentKindName,
  PaymentRequest,
} from '../domain/order.ts';
import { PAYMENT_STATES, type PaymentState } from '../domain/payment.ts';
import { KIND_CODES, STATE_CODES, toPaymentMessage } from '../messages/payment-message.ts';
import { messageFor } from './visible-decision.ts';

export function toPaymentRequest(request: CreatePaymentRequest): PaymentRequest {
  const { captureMode, captureBy } = request;
  return { ...request, captureMode: toCaptureMode(captureMode), captureBy: toCaptureBy(captureBy) };
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

function toCaptureBy(code: CaptureBy): CaptureByName | undefined {
  switch (code) {
    case CaptureBy.UNSPECIFIED:
    case CaptureBy.PAYER:
      return 'PAYER';
    case CaptureBy.PAYEE:
      return 'PAYEE';
    default:
      return undefined;
  }
}

export function toCreatedResponse(caller: Caller, created: Created): CreatePaymentResponse {
  const { payment, replayed } = created;
  // The caller of another payment is on the payer's side, or sees all.
  const seen = payment.mandateId === undefined ? payment : viewFor(caller, payment);
  return { payment: messageFor(caller, toPaymentMessage(seen)), replayed };
}

/** Throws INVALID_ARGUMENT for a state that is not in the contract. */
export function toListRequest(request: ListPaymentsRequest): ListRequest {
  const { pageSize, pageToken, amountMinMinor, amountMaxMinor, metadata } = request;
  const { createdAfter, createdBefore, updatedAfter, updatedBefore } = request;
  return {
    pageSize,
    pageToken,
    ascending: request.oldestFirst,
    filter: {
      accountId: request.accountId || undefined,
      states: toStates(request),
      kind: toKind(request.kind),
      fromAccount: request.fromAccount || undefined,
      toAccount: request.toAccount || undefined,
      metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
      currency: request.currency || undefined,
      reference: request.reference || undefined,
      referencePrefix: request.referencePrefix || undefined,
      mandateId: request.mandateId || undefined,
      createdAfter,
      createdBefore,
      updatedAfter,
      updatedBefore,
      amountMinMinor,
      amountMaxMinor,
    },
  };
}

type OperationsMessage = Omit<ListRefundsRequest, 'state'> & { state: number };

/** `codes` has the number of each state. Throws INVALID_ARGUMENT for a state that is not in the contract. */
export function toOperationsRequest(
  { pageSize, pageToken, paymentId, accountId, state, createdAfter, createdBefore }: OperationsMessage,
  codes: Record<Operation['state'], number>,
): OperationsRequest {
  const states = Object.keys(codes) as Operation['state'][];
  const named = states.find((name) => codes[name] === state);
  if (state !== 0 && !named)
    throw invalid([{ field: 'state', description: 'must be PENDING, COMPLETED or FAILED' }]);
  return {
    pageSize,
    pageToken,
    filter: {
      paymentId: paymentId || undefined,
      accountId: accountId || undefined,
      state: named,
      createdAfter,
      createdBefore,
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

function toStates({ state, states }: ListPaymentsRequest): PaymentState[] | undefined {
  if (state === StateCode.UNSPECIFIED) {
    return states.length > 0 ? states.map((code) => toState('states', code)) : undefined;
  }
  if (states.length > 0) throw invalid([{ field: 'states', description: 'must be empty if state is given' }]);
  return [toState('state', state)];
}

function toState(field: string, code: StateCode): PaymentState {
  const state = PAYMENT_STATES.find((name) => STATE_CODES[name] === code);
  if (state) return state;
  throw invalid([{ field, description: 'must be a state of a payment' }]);
}

function toKind(code: PaymentKind): PaymentKindName | undefined {
  if (code === PaymentKind.UNSPECIFIED) return undefined;
  const kind = (Object.keys(KIND_CODES) as PaymentKindName[]).find((name) => KIND_CODES[name] === code);
  if (kind) return kind;
  throw invalid([{ field: 'kind', description: 'must be a kind of payment' }]);
}
