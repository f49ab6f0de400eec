/** Shared helpers of the tests of captures, cancels, refunds and expiries. They send requests and fold the published events. */
import { newId } from '@payflowx/chassis';
import { isOutcomeUnknown } from '@payflowx/chassis/testing';
import { CaptureMode, type Movement, MovementKind } from '@payflowx/proto/authorization';
import {
  type CapturePaymentRequest,
  type CreatePaymentRequest,
  type CreateRefundRequest,
  type Payment,
  PaymentState,
  type Refund,
  RefundState,
} from '@payflowx/proto/payment';
import { expect } from 'vitest';
import { NO_NOTES, type RequestedKind } from '../src/domain/operation.ts';
import type { Decision } from '../src/domain/payment.ts';
import { announced, CALL, type Platform, type Server } from './payment-platform.ts';

type Caller = Platform['customer'];

/** Leaves an accepted operation without a decision, like a process that dies right after accepting it. */
export async function acceptStep(
  platform: Platform,
  paymentId: string,
  kind: RequestedKind = 'CAPTURE',
  caller = kind === 'REFUND' ? platform.otherCustomer : platform.customer,
) {
  const requestId = newId('req');
  const acceptance = await platform.operations.accept({
    paymentId,
    terms: { kind, amountMinor: undefined, final: kind === 'CAPTURE', reason: '', notes: NO_NOTES },
    caller,
    requestId,
    traceparent: '',
    deadline: new Date(Date.now() + CALL.deadlineMs),
    isRetry: false,
  });
  if (!('operation' in acceptance)) throw new Error('The request was seen before.');
  return { requestId, begun: acceptance };
}

/** A request for a list of captures or refunds, without filters. */
export const ALL = {
  paymentId: '',
  accountId: '',
  state: 0,
  createdAfter: undefined,
  createdBefore: undefined,
  updatedAfter: undefined,
  updatedBefore: undefined,
  pageSize: 0,
  pageToken: '',
} as const;

/** A decision that moves nothing. */
export const APPROVED: Decision = {
  eventId: newId('evt'),
  decidedAt: new Date(),
  failure: undefined,
  movements: [],
  fromOwnerId: undefined,
  toOwnerId: undefined,
  holdExpiresAt: undefined,
  record: new Uint8Array(),
};

interface Failure {
  code: number;
  reason: string;
  metadata: object;
}

const isUnknown = (error: Failure) => error.reason === 'IDEMPOTENCY_IN_PROGRESS' || isOutcomeUnknown(error);

function unlessUnknown(error: Failure): { payment: undefined } {
  if (isUnknown(error)) return { payment: undefined };
  throw error;
}

/** Milliseconds after which recovery takes up everything without an outcome. */
const A_LONG_TIME_MS = 3_600_000;

export function lifecycleOf(platform: Platform) {
  const callAs = async (caller: Caller, deadlineMs = CALL.deadlineMs) => ({
    deadlineMs,
    accessToken: await platform.tokenOf(caller),
  });

  /** A payment from the customer to the other one, with its outcome. */
  const pay = async (given: Partial<CreatePaymentRequest> = {}): Promise<Payment> => {
    const request = await platform.newRequest({ amountMinor: 1_000n, ...given });
    const call = await callAs(platform.customer);
    for (;;) {
      const { payment } = await platform.client.createPayment(request, call).catch(unlessUnknown);
      if (payment && payment.state !== PaymentState.INITIATED) return payment;
      await platform.recover(A_LONG_TIME_MS);
    }
  };

  return {
    callAs,
    pay,
    hold: (given: Partial<CreatePaymentRequest> = {}) => pay({ captureMode: CaptureMode.MANUAL, ...given }),

    async capture(
      paymentId: string,
      given: Partial<CapturePaymentRequest> = {},
      { by = platform.customer, via = platform as Server, deadlineMs = CALL.deadlineMs } = {},
    ) {
      const request = { requestId: newId('req'), paymentId, reference: '', metadata: {}, ...given };
      return via.client.capturePayment(request, await callAs(by, deadlineMs));
    },
    async cancel(
      paymentId: string,
      { by = platform.customer, via = platform as Server, requestId = newId('req') } = {},
    ) {
      return via.client.cancelPayment({ requestId, paymentId }, await callAs(by));
    },
    async refund(
      paymentId: string,
      given: Partial<CreateRefundRequest> = {},
      { by = platform.otherCustomer, via = platform as Server, deadlineMs = CALL.deadlineMs } = {},
    ) {
      const request = {
        requestId: newId('req'),
        paymentId,
        reason: '',
        reference: '',
        metadata: {},
        ...given,
      };
      return via.client.createRefund(request, await callAs(by, deadlineMs));
    },
    /** Returns the outcome of a request. The request is repeated with its key until recovery has produced the outcome. */
    async definite<T extends { pending?: boolean; refund?: Refund | undefined }>(ask: () => Promise<T>) {
      for (;;) {
        const answer = await ask().catch((error: Failure) => error);
        const isPending =
          'reason' in answer
            ? isUnknown(answer)
            : answer.pending || answer.refund?.state === RefundState.PENDING;
        if (!isPending) return answer;
        await platform.recoverOperations(A_LONG_TIME_MS);
      }
    },
    async get(paymentId: string): Promise<Payment> {
      const { payment } = await platform.client.getPayment({ paymentId }, await callAs(platform.operator));
      return payment as Payment;
    },
    async steps(paymentId: string, by = platform.operator) {
      return (await platform.client.listPaymentSteps({ paymentId }, await callAs(by))).steps;
    },

    /** Returns the Kafka events of a payment, in order. */
    async events(paymentId: string) {
      const messages = await announced(platform.db, paymentId);
      return messages.filter(({ destination }) => destination === 'payment-events');
    },

    /** Checks that the published movements add up to the amounts of authorization and of the payment. */
    async expectAmountsToAgree(paymentId: string) {
      const payment = await this.get(paymentId);
      const events = await this.events(paymentId);
      expect(new Set(events.map(({ event }) => event.id)).size).toBe(events.length);
      const movements = events.flatMap(({ event }) => event.movements);
      const accounts = [payment.fromAccount, payment.toAccount];
      const moved = await platform.authorization.movedIn(...accounts);
      expect(moved).toEqual(accounts.map((account) => foldOf(account, movements)));
      const received = payment.capturedMinor - payment.refundedMinor;
      expect(moved[1]?.postedMinor).toBe(received);
      expect(events.map(({ event }) => event.payment?.version)).toEqual(
        events.map((_, index) => BigInt(index + 1)),
      );
      expect(events.at(-1)?.event.payment?.state).toBe(payment.state);
    },
  };
}

function foldOf(account: string, movements: readonly Movement[]) {
  const balance = { postedMinor: 0n, heldMinor: 0n };
  for (const { kind, fromAccount, toAccount, amountMinor } of movements) {
    if (kind === MovementKind.TRANSFER && fromAccount === account) balance.postedMinor -= amountMinor;
    if (kind === MovementKind.TRANSFER && toAccount === account) balance.postedMinor += amountMinor;
    if (kind === MovementKind.HOLD && fromAccount === account) balance.heldMinor += amountMinor;
    if (kind === MovementKind.RELEASE && fromAccount === account) balance.heldMinor -= amountMinor;
  }
  return balance;
}
