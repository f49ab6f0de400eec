/** The handlers of PaymentService for captures, cancels, refunds and steps. Each decodes, calls the use case, and encodes. */
import { type Call, requireCaller } from '@payflowx/chassis';
import {
  type CancelPaymentRequest,
  type CancelPaymentResponse,
  type CapturePaymentRequest,
  type CapturePaymentResponse,
  type CreateRefundRequest,
  type CreateRefundResponse,
  type ListPaymentStepsRequest,
  type ListPaymentStepsResponse,
  type ListRefundsRequest,
  type ListRefundsResponse,
  Payment as PaymentMessage,
  Refund as RefundMessage,
} from '@payflowx/proto/payment';
import type { Kysely } from 'kysely';
import { listPaymentSteps } from '../app/list-payment-steps.ts';
import { listRefunds } from '../app/list-refunds.ts';
import type { OperationFlow } from '../app/operation-flow.ts';
import { type Requested, requestOperation } from '../app/request-operation.ts';
import { viewFor } from '../domain/access.ts';
import type { Terms } from '../domain/operation.ts';
import { toCancelTerms, toCaptureTerms, toRefundTerms } from '../domain/operation-request.ts';
import type { Caller } from '../domain/payment.ts';
import { toPaymentMessage } from '../messages/payment-message.ts';
import { toRefundMessage } from '../messages/refund-message.ts';
import type { Database } from '../store/database.ts';
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
    capturePayment: async (request: CapturePaymentRequest, call: Call): Promise<CapturePaymentResponse> =>
      toPaymentResponse(requireCaller(call), await take(request, toCaptureTerms(request), call)),

    cancelPayment: async (request: CancelPaymentRequest, call: Call): Promise<CancelPaymentResponse> =>
      toPaymentResponse(requireCaller(call), await take(request, toCancelTerms(request), call)),

    createRefund: async (request: CreateRefundRequest, call: Call): Promise<CreateRefundResponse> =>
      toRefundResponse(await take(request, toRefundTerms(request), call)),

    listRefunds: async (request: ListRefundsRequest, call: Call): Promise<ListRefundsResponse> => {
      const { payment, refunds, nextPageToken } = await listRefunds({ db }, requireCaller(call), request);
      return { refunds: refunds.map((refund) => toRefundMessage(refund, payment.currency)), nextPageToken };
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

function toPaymentResponse(caller: Caller, requested: Requested): CapturePaymentResponse {
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
    return { refund: toRefundMessage(operation, payment.currency), replayed: false };
  }
  const { answer, replayed } = requested;
  return { refund: RefundMessage.decode(answer), replayed };
}
