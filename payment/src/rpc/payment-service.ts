/** PaymentService: each handler decodes, calls the use case, and encodes. */
import { status } from '@grpc/grpc-js';
import {
  type BoundService,
  bindService,
  type Call,
  type Caller,
  createClockSkew,
  entered,
  int64Of,
  type Logger,
  limitsOf,
  recordRefusal,
  recordServed,
  requireAccess,
  requireCaller,
  runInTrace,
  securityEventsOf,
  type TokenVerifier,
  type Trace,
  toRpcStatus,
  traceFrom,
} from '@payflowx/chassis';
import { Decision } from '@payflowx/proto/authorization';
import {
  type AccountFigures as AccountFiguresMessage,
  type CreatePaymentItem,
  type CreatePaymentResponse,
  type CreatePaymentResult,
  PaymentServiceService,
} from '@payflowx/proto/payment';
import type { Kysely } from 'kysely';
import { changePaymentNotes } from '../app/change-payment-notes.ts';
import { type CreateDeps, createPayment } from '../app/create-payment.ts';
import type { Creation } from '../app/fingerprint.ts';
import { getPayment } from '../app/get-payment.ts';
import { getRecoveryStatus, type RecoveryStatusDeps } from '../app/get-recovery-status.ts';
import { type AccountFigures, listAccountFigures } from '../app/list-account-figures.ts';
import { listPayments } from '../app/list-payments.ts';
import { type SimulateDeps, simulatePayment } from '../app/simulate-payment.ts';
import { invalid, type PaymentError } from '../domain/errors.ts';
import {
  type Order,
  toDepositOrder,
  toPaymentOrder,
  toSimulatedOrder,
  toWithdrawalOrder,
} from '../domain/order.ts';
import { playedDelayMs } from '../domain/played-delay.ts';
import { toPaymentMessage } from '../messages/payment-message.ts';
import type { Database } from '../store/database.ts';
import { ACCESS } from './access.ts';
import { auditHandlers } from './audit-handlers.ts';
import { toCreatedResponse, toListRequest, toPaymentRequest, toRecoveryStatusMessage } from './convert.ts';
import { errors } from './errors.ts';
import { type OperationDeps, operationHandlers } from './operation-handlers.ts';
import { decisionFor, messageFor } from './visible-decision.ts';

export type PaymentServiceDeps = CreateDeps &
  OperationDeps &
  SimulateDeps & {
    db: Kysely<Database>;
    clock: RecoveryStatusDeps['clock'];
    /** Separate connections for statements that read all payments, so that no request on the request path waits for them. */
    figuresDb: Kysely<Database>;
    /** Verifies the access tokens of the items of a batch. */
    verifier: TokenVerifier;
    log: Logger;
    /** True if magic references delay outcomes. */
    sandbox?: boolean | undefined;
  };

const MAX_BATCH = 500;
/** Each item of a batch is checked as if it were a call of this RPC. */
const ITEM_ROUTE = PaymentServiceService.createPayment.path;
const checkItem = limitsOf('payflowx.payment.v1.CreatePaymentItem');

/**
 * The deadline by our clock, which is `aheadMs` ahead of the caller's. An item without a deadline gets the deadline of the call,
 * which is limited.
 */
function deadlineOf({ deadline }: CreatePaymentItem, aheadMs: number, call: Call): Date {
  const named = deadline && new Date(deadline.getTime() + aheadMs);
  return named && named < call.deadline ? named : call.deadline;
}

export function paymentService(deps: PaymentServiceDeps): BoundService {
  const skew = createClockSkew(deps);
  const events = securityEventsOf(deps.log);

  const create = async (operation: Creation, order: Order, requestId: string, context: CallContext) => {
    const { caller, traceparent, deadline, isRetry } = context;
    const origin = { caller, requestId, traceparent };
    const delayMs = deps.sandbox ? playedDelayMs(order) : undefined;
    const created = await createPayment(deps, { operation, order, origin, deadline, isRetry, delayMs });
    return toCreatedResponse(caller, created);
  };

  const createItem = async (
    item: CreatePaymentItem,
    caller: Caller,
    aheadMs: number,
    { traceparent }: Trace,
    call: Call,
  ): Promise<CreatePaymentResponse> => {
    if (!item.request) throw missingRequest('request');
    const { isRetry } = call;
    const context = { caller, traceparent, deadline: deadlineOf(item, aheadMs, call), isRetry };
    return create(
      'CreatePayment',
      toPaymentOrder(toPaymentRequest(item.request)),
      item.request.requestId,
      context,
    );
  };

  const resultOf = (item: CreatePaymentItem, aheadMs: number, call: Call): Promise<CreatePaymentResult> => {
    const startedAt = performance.now();
    const trace = entered(traceFrom(item.traceparent));
    return runInTrace(trace, async (): Promise<CreatePaymentResult> => {
      let caller: Caller | undefined;
      try {
        checkItem(item);
        caller = await deps.verifier.verify(item.accessToken);
        requireAccess(caller, ACCESS.createPayment);
        const value = await createItem(item, caller, aheadMs, trace, call);
        const paymentId = value.payment?.id ?? '';
        recordServed(trace, startedAt, ITEM_ROUTE, status.OK, { 'payflowx.payment.id': paymentId });
        return { result: { $case: 'response', value } };
      } catch (error) {
        const rpcStatus = toRpcStatus(error, errors, deps.log);
        recordServed(trace, startedAt, ITEM_ROUTE, rpcStatus.code);
        recordRefusal(events, error, rpcStatus.code, { route: ITEM_ROUTE, address: call.peer, caller });
        return { result: { $case: 'error', value: rpcStatus } };
      }
    });
  };

  return bindService(PaymentServiceService, {
    access: ACCESS,
    errors,
    // The first page computes figures from all payments.
    longestMs: { listAccountFigures: 150_000 },
    handlers: {
      createPayment: async (request, call) =>
        create(
          'CreatePayment',
          toPaymentOrder(toPaymentRequest(request)),
          request.requestId,
          contextOf(call),
        ),

      batchCreatePayments: async ({ items, sentAt }, call) => {
        requireBatch(items.length);
        const aheadMs = skew.aheadMs(sentAt, call);
        return { results: await Promise.all(items.map((item) => resultOf(item, aheadMs, call))) };
      },

      createDeposit: async (request, call) =>
        create('CreateDeposit', toDepositOrder(request), request.requestId, contextOf(call)),

      createWithdrawal: async (request, call) =>
        create('CreateWithdrawal', toWithdrawalOrder(request), request.requestId, contextOf(call)),

      ...operationHandlers(deps),
      ...auditHandlers(deps),

      simulatePayment: async ({ payment }, call) => {
        if (!payment) throw missingRequest('payment');
        const simulated = { order: toSimulatedOrder(toPaymentRequest(payment)), caller: requireCaller(call) };
        const { record } = await simulatePayment(deps, simulated, call.deadline);
        // For a payee, authorization has checked the mandate only.
        return { decision: decisionFor(simulated.caller, Decision.decode(record)) };
      },

      getPayment: async ({ paymentId }, call) => {
        const caller = requireCaller(call);
        const payment = await getPayment(deps, caller, paymentId);
        return { payment: messageFor(caller, toPaymentMessage(payment)) };
      },

      changePaymentNotes: async ({ paymentId, reference, metadata, removedMetadata }, call) => {
        const caller = requireCaller(call);
        const change = { reference, metadata, removedMetadata };
        const payment = await changePaymentNotes(deps, caller, paymentId, change);
        return { payment: messageFor(caller, toPaymentMessage(payment)) };
      },

      listPayments: async (request, call) => {
        const caller = requireCaller(call);
        const { payments, nextPageToken } = await listPayments(deps, caller, toListRequest(request));
        return {
          payments: payments.map((payment) => messageFor(caller, toPaymentMessage(payment))),
          nextPageToken,
        };
      },

      getRecoveryStatus: async () => toRecoveryStatusMessage(await getRecoveryStatus(deps)),

      async listAccountFigures(request) {
        const { accounts, nextPageToken } = await listAccountFigures({ db: deps.figuresDb }, request);
        return { accounts: accounts.map(toFiguresMessage), nextPageToken };
      },
    },
  });
}

function toFiguresMessage({ sentMinor, receivedMinor, ...others }: AccountFigures): AccountFiguresMessage {
  return {
    ...others,
    sentMinor: int64Of(sentMinor),
    receivedMinor: int64Of(receivedMinor),
    sentSum: sentMinor.toString(),
    receivedSum: receivedMinor.toString(),
  };
}

/** The caller of a payment, its trace and its deadline. */
interface CallContext {
  caller: Caller;
  traceparent: string;
  deadline: Date;
  isRetry: boolean;
}

function contextOf(call: Call): CallContext {
  const { trace, deadline, isRetry } = call;
  return { caller: requireCaller(call), traceparent: trace.traceparent, deadline, isRetry };
}

function requireBatch(size: number): void {
  if (size >= 1 && size <= MAX_BATCH) return;
  throw invalid([{ field: 'items', description: `must be 1 to ${MAX_BATCH}` }]);
}

function missingRequest(field: string): PaymentError {
  return invalid([{ field, description: 'is required' }]);
}
