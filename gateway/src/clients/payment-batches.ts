/**
 * Carries creations of payments to the payment service, many in one call. Each keeps its own identity (the caller's
 * token), trace, deadline and outcome; one that fails leaves the others alone.
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
  /** How many calls may be under way at once, so that a slow one does not hold up the rest. */
  concurrency: number;
  /**
   * The least time between the starts of two calls while one is under way, unless a batch is full. Alone, a creation leaves at once; a
   * few hundred a second travel in groups, through all that follows: each by itself would cost several times the CPU, and wait for that.
   */
  paceMs: number;
}

type Item = CreatePaymentItem & { deadline: Date };

/** Rejects with NeighbourError DEADLINE_EXCEEDED at the item's deadline, wherever the item is then: in the queue or in a call. */
export type PaymentBatches = Batcher<Item, CreatePaymentResponse>;

export function createPaymentBatches(
  payment: Pick<Neighbours['payment'], 'batchCreatePayments'>,
  settings: BatchSettings,
): PaymentBatches {
  const batcher = createBatcher({
    ...settings,
    pacesOnlyWhileBusy: true,
    flush: (items: Item[]) => createPayments(payment, items),
  });
  return {
    submit: (item) => inTime(batcher.submit(item), item.deadline.getTime() - Date.now(), late),
    drain: batcher.drain,
  };
}

function late(): never {
  throw new NeighbourError({ code: grpc.DEADLINE_EXCEEDED, message: 'No outcome in time.', details: [] });
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
    throw isOurFault(error)
      ? new ProblemError('UNAVAILABLE', 'The payment service does not take requests.', { cause: error })
      : error;
  }
}

/**
 * A refusal of the whole call is about the gateway's own token. No caller may read it as being about theirs: nothing was begun, and the
 * same key may be tried again. An instance whose clock is wrong by more than a token lasts refuses every token; others do not.
 */
function isOurFault(error: unknown): boolean {
  return (
    error instanceof NeighbourError &&
    (error.code === grpc.UNAUTHENTICATED || error.code === grpc.PERMISSION_DENIED)
  );
}

function toResult({ result }: CreatePaymentResult): Result<CreatePaymentResponse> {
  if (result?.$case === 'response') return ok(result.value);
  if (result?.$case === 'error') return failed(fromRpcStatus(result.value));
  return failed(new Error('The payment service left an item without an answer.'));
}
