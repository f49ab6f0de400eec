/** The handlers of PaymentService for captures, cancels, refunds and steps. Each decodes, calls the use case, and encodes. */
import { type Call, type Caller, requireCaller } from '@payflowx/chassis';
import {
  type CancelPaymentRequest,
  type CancelPaymentResponse,
  type CapturePaymentRequest,
  type CapturePaymentResponse,
  type CreateRefundRequest,
  type CreateRefundResponse,
  type GetCaptureRequest,
  type GetCaptureResponse,
  type GetRefundRequest,
  type GetRefundResponse,
  type ListCapturesRequest,
  type ListCapturesResponse,
  type ListPaymentStepsRequest,
  type ListPaymentStepsResponse,
  type ListRefundsRequest,
  type ListRefundsResponse,
  Payment as PaymentMessage,
  Refund as RefundMessage,
} from '@payflowx/proto/payment';
import type { Kysely } from 'kysely';
import { listPaymentSteps } from '../app/list-payment-steps.ts';
import type { OperationFlow } from '../app/operation-flow.ts';
import { getOperation, listOperations } from '../app/read-operations.ts';
import { type Requested, requestOperation } from '../app/request-operation.ts';
import { viewFor } from '../domain/access.ts';
import type { Terms } from '../domain/operation.ts';
import { toCancelTerms, toCaptureTerms, toRefundTerms } from '../domain/operation-request.ts';
import { CAPTURE_STATE_CODES, toCaptureMessage } from '../messages/capture-message.ts';
import { toPaymentMessage } from '../messages/payment-message.ts';
import { REFUND_STATE_CODES, toRefundMessage } from '../messages/refund-message.ts';
import type { Database } from '../store/database.ts';
import { toOperationsRequest } from './convert.ts';
import { toStepMessage } from './step-message.ts';
import { messageFor } from './visible-decision.ts';

export interface OperationDeps {
  db: Kysely<Database>;
  operations: Pick<OperationFlow, 'accept' | 'resolve'>;
  now(): Date;
}

export function operationHandlers({ db, operations: flow, now }: OperationDeps) {
  const take = ({ requestId, paymentId }: CancelPaymentRequest, terms: Terms, call: Call) => {
    const { deadline, isRetry } = call;
    const { traceparent } = call.trace;
    const context = { caller: requireCaller(call), traceparent, deadline, isRetry };
    return requestOperation({ flow, now }, { paymentId, requestId, terms, ...context });
  };

  return {
    capturePayment: async (request: CapturePaymentRequest, call: Call): Promise<CapturePaymentResponse> => {
      const requested = await take(request, toCaptureTerms(request), call);
      const captureId =
        'pending' in requested ? requested.pending.operation.id : (requested.operationId ?? '');
      return { ...toPaymentResponse(requireCaller(call), requested), captureId };
    },

    cancelPayment: async (request: CancelPaymentRequest, call: Call): Promise<CancelPaymentResponse> =>
      toPaymentResponse(requireCaller(call), await take(request, toCancelTerms(request), call)),

    createRefund: async (request: CreateRefundRequest, call: Call): Promise<CreateRefundResponse> =>
      toRefundResponse(await take(request, toRefundTerms(request), call)),

    getCapture: async ({ captureId }: GetCaptureRequest, call: Call): Promise<GetCaptureResponse> => {
      const { operation, payment } = await getOperation({ db }, requireCaller(call), 'CAPTURE', captureId);
      return { capture: toCaptureMessage(operation, payment) };
    },

    listCaptures: async (request: ListCapturesRequest, call: Call): Promise<ListCapturesResponse> => {
      const listed = toOperationsRequest(request, CAPTURE_STATE_CODES);
      const { operations, nextPageToken } = await listOperations(
        { db },
        requireCaller(call),
        'CAPTURE',
        listed,
      );
      const captures = operations.map(({ operation, payment }) => toCaptureMessage(operation, payment));
      return { captures, nextPageToken };
    },

    getRefund: async ({ refundId }: GetRefundRequest, call: Call): Promise<GetRefundResponse> => {
      const { operation, payment } = await getOperation({ db }, requireCaller(call), 'REFUND', refundId);
      return { refund: toRefundMessage(operation, payment) };
    },

    listRefunds: async (request: ListRefundsRequest, call: Call): Promise<ListRefundsResponse> => {
      const listed = toOperationsRequest(request, REFUND_STATE_CODES);
      const { operations, nextPageToken } = await listOperations(
        { db },
        requireCaller(call),
        'REFUND',
        listed,
      );
      const refunds = operations.map(({ operation, payment }) => toRefundMessage(operation, payment));
      return { refunds, nextPageToken };
    },

    listPaymentSteps: async (
      { paymentId }: ListPaymentStepsRequest,
      call: Call,
    ): Promise<ListPaymentStepsResponse> => {
      const caller = requireCaller(call);
      const steps = await listPaymentSteps({ db }, caller, paymentId);
      return { steps: steps.map((step) => toStepMessage(caller, step)) };
    },
  };
}

function toPaymentResponse(caller: Caller, requested: Requested): CancelPaymentResponse {
  if ('pending' in requested) {
    const payment = messageFor(caller, toPaymentMessage(viewFor(caller, requested.pending.payment)));
    return { payment, replayed: false, pending: true };
  }
  const { answer, replayed } = requested;
  return { payment: messageFor(caller, PaymentMessage.decode(answer)), replayed, pending: false };
}

function toRefundResponse(requested: Requested): CreateRefundResponse {
  if ('pending' in requested) {
    const { operation, payment } = requested.pending;
    return { refund: toRefundMessage(operation, payment), replayed: false };
  }
  const { answer, replayed } = requested;
  return { refund: RefundMessage.decode(answer), replayed };
}
