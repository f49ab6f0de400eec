/**
 * Sends creations of payments to the payment service in batches. Each creation keeps its own caller token, trace, deadline and
 * outcome. A creation that fails does not affect the others.
 */

import { status as grpc } from '@grpc/grpc-js';
import {
  type Batcher,
  createBatcher,
  failed,
  fromRpcStatus,
  inTime,
  NeighbourError,
  ok,
  type Result,
} from '@payflowx/chassis';
import type { CreatePaymentItem, CreatePaymentResponse, CreatePaymentResult } from '@payflowx/proto/payment';
import { ProblemError } from '../problems/problem.ts';
import type { Neighbours } from './neighbours.ts';

export interface BatchSettings {
  maxSize: number;
  /** The maximum number of concurrent calls. With more than one, a slow call does not delay the rest. */
  concurrency: number;
  /**
   * The minimum time between the starts of two calls while one is in flight, unless a batch is full. A single creation is sent at
   * once. At a few hundred a second, creations are sent in batches through all services. Sent one by one, they would cost several
   * times the CPU, and would wait for it.
   */
  paceMs: number;
}

type Item = CreatePaymentItem & { deadline: Date };

/** Rejects with NeighbourError DEADLINE_EXCEEDED at the item's deadline, both in the queue and during a call. */
export type PaymentBatches = Batcher<Item, CreatePaymentResponse>;

export function createPaymentBatches(
  payment: Pick<Neighbours['payment'], 'batchCreatePayments'>,
  settings: BatchSettings,
): PaymentBatches {
  const batcher = createBatcher({
    ...settings,
    name: 'create-payments',
    pacesOnlyWhileBusy: true,
    flush: (items: Item[]) => createPayments(payment, items),
  });
  return {
    submit: (item) =>
      inTime(batcher.submit(item), item.deadline.getTime() - Date.now(), throwDeadlineExceeded),
    drain: batcher.drain,
  };
}

function throwDeadlineExceeded(): never {
  throw new NeighbourError({
    code: grpc.DEADLINE_EXCEEDED,
    message: 'The payment service did not respond in time.',
    details: [],
  });
}

async function createPayments(
  payment: Pick<Neighbours['payment'], 'batchCreatePayments'>,
  items: Item[],
): Promise<Result<CreatePaymentResponse>[]> {
  const latest = Math.max(...items.map(({ deadline }) => deadline.getTime()));
  try {
    const request = { items, sentAt: new Date() };
    const { results } = await payment.batchCreatePayments(request, { deadline: new Date(latest) });
    return results.map(toResult);
  } catch (error) {
    throw isOwnTokenRefused(error)
      ? new ProblemError('UNAVAILABLE', 'The payment service refuses requests of this instance.', {
          cause: error,
        })
      : error;
  }
}

/**
 * Returns true if the payment service refused the gateway's own token. The caller must not take that refusal as its own: nothing
 * was begun, and the same key may be tried again. An instance whose clock is wrong by more than the lifetime of a token refuses
 * every token. Other instances do not.
 */
function isOwnTokenRefused(error: unknown): boolean {
  return (
    error instanceof NeighbourError &&
    (error.code === grpc.UNAUTHENTICATED || error.code === grpc.PERMISSION_DENIED)
  );
}

function toResult({ result }: CreatePaymentResult): Result<CreatePaymentResponse> {
  if (result?.$case === 'response') return ok(result.value);
  if (result?.$case === 'error') return failed(fromRpcStatus(result.value));
  return failed(new Error('The payment service returned no result for an item.'));
}
