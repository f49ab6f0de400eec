/**
 * The three steps of an operation. Rows are stored in batches. Authorization is called for each operation separately. An
 * operation that is delayed by a lock is retried outside the batches.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createBatcher, isLockTimeout, retry } from '@payflowx/chassis';
import { isBusy } from '../clients/authorization.ts';
import type { StoredResponse } from '../store/idempotency-keys.ts';
import {
  type AcceptOperationDeps,
  acceptOperations,
  type Begun,
  type OperationAcceptance,
  type OperationRequest,
} from './accept-operations.ts';
import { type DecideDeps, decideOperation } from './decide-operation.ts';
import { type AsideDeps, type BatchSettings, MAX_QUEUED } from './payment-flow.ts';
import {
  type SettleOperationDeps,
  type SettleOperationRequest,
  settleOperations,
} from './settle-operations.ts';
import { createSingleFlight } from './single-flight.ts';

export type OperationFlowDeps = AcceptOperationDeps &
  DecideDeps &
  SettleOperationDeps &
  AsideDeps &
  BatchSettings;

export interface OperationFlow {
  /** Step (a), see acceptOperations. */
  accept(request: OperationRequest): Promise<OperationAcceptance>;
  /**
   * Steps (b) and (c). Returns the response to the caller. Rejects if there is no outcome yet, which recovery then produces.
   * Rejects with TooEarlyError if authorization can decide only at a later time.
   *
   * Safe to call any number of times, also concurrently and in several instances. An operation that is delayed by a lock is
   * retried until `retryUntil`.
   */
  resolve(begun: Begun, deadline: Date, retryUntil?: Date): Promise<StoredResponse>;
  /** Finishes the operations in flight and accepts no more. */
  drain(): Promise<void>;
}

/** Authorization cannot decide before the time `until`. The operation stays PENDING until then. */
export class TooEarlyError extends Error {
  override readonly name = 'TooEarlyError';
  readonly until: Date;
  constructor(until: Date) {
    super(`Authorization cannot decide before ${until.toISOString()}.`);
    this.until = until;
  }
}

const CONCURRENCY = 2;
/**
 * Milliseconds of the first pause while an operation waits for the outcome of another one. The pause doubles up to the longest
 * one.
 */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1_000;

export function createOperationFlow(deps: OperationFlowDeps): OperationFlow {
  const { batchSize: maxSize, batchesInFlight: concurrency = CONCURRENCY } = deps;
  const asideDeps = { ...deps, db: deps.asideDb };
  const accept = createBatcher({
    name: 'accept-operations',
    maxSize,
    concurrency,
    maxQueued: MAX_QUEUED,
    flush: (requests: OperationRequest[]) => acceptOperations(deps, requests),
    flushAside: (requests) => acceptOperations(asideDeps, requests),
    aside: { isHeldUp: isLockTimeout, deadlineOf: ({ deadline }) => deadline },
  });
  const settle = createBatcher({
    name: 'settle-operations',
    maxSize,
    concurrency,
    flush: (requests: (SettleOperationRequest & { retryUntil: Date })[]) => settleOperations(deps, requests),
    flushAside: (requests) => settleOperations(asideDeps, requests),
    aside: { isHeldUp: isLockTimeout, deadlineOf: ({ retryUntil }) => retryUntil },
  });
  const takeSteps = async (begun: Begun, deadline: Date, retryUntil: Date) => {
    const decide = () => decideOperation(deps, begun, deadline);
    const decision = await retry(decide, { mayRetry: isBusy, deadline: retryUntil });
    if (decision.retryAt) throw new TooEarlyError(decision.retryAt);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const settled = await settle.submit({ operation: begun.operation, decision, retryUntil });
      if (settled !== 'WAITING') return settled;
      if (deps.now().getTime() + pauseMs > deadline.getTime())
        throw new Error('The operation waits for the outcome of another one.');
      await pause(pauseMs);
    }
  };
  const singleFlight = createSingleFlight<StoredResponse>();

  return {
    accept: (request) => accept.submit(request),
    resolve: (begun, deadline, retryUntil = deadline) =>
      singleFlight(begun.operation.id, () => takeSteps(begun, deadline, retryUntil)),
    async drain() {
      for (const batcher of [accept, settle]) await batcher.drain();
    },
  };
}
