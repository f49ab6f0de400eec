/**
 * The three steps of an operation. Storing happens in batches; authorization is asked for each by itself. An operation that a lock holds
 * up is tried again apart from the batches.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createBatcher, isLockTimeout, retry } from '@payflowx/chassis';
import { isBusy } from '../clients/authorization.ts';
import type { FirstAnswer } from '../store/idempotency-keys.ts';
import {
  type AcceptOperationDeps,
  acceptOperations,
  type Begun,
  type OperationAcceptance,
  type OperationRequest,
} from './accept-operations.ts';
import { type DecideDeps, decideOperation } from './decide-operation.ts';
import type { BatchSettings } from './payment-flow.ts';
import {
  type SettleOperationDeps,
  type SettleOperationRequest,
  settleOperations,
} from './settle-operations.ts';
import { createUnderWay } from './under-way.ts';

export type OperationFlowDeps = AcceptOperationDeps & DecideDeps & SettleOperationDeps & BatchSettings;

export interface OperationFlow {
  /** Step (a), see acceptOperations. */
  accept(request: OperationRequest): Promise<OperationAcceptance>;
  /**
   * Steps (b) and (c): what the caller is answered. Rejects if there is no outcome yet, and then recovery brings it.
   * Safe to do any number of times, also at once, here and in other instances. An operation that a lock holds up is tried again until
   * `retryUntil`.
   */
  resolve(begun: Begun, deadline: Date, retryUntil?: Date): Promise<FirstAnswer>;
  /** Finishes what is under way and takes no more. */
  drain(): Promise<void>;
}

const CONCURRENCY = 2;
/** How long an operation first waits for another one's outcome; then twice that, and so on. */
const FIRST_PAUSE_MS = 10;

export function createOperationFlow(deps: OperationFlowDeps): OperationFlow {
  const { batchSize: maxSize, batchesInFlight: concurrency = CONCURRENCY } = deps;
  const accept = createBatcher({
    maxSize,
    concurrency,
    flush: (requests: OperationRequest[]) => acceptOperations(deps, requests),
    aside: { isHeldUp: isLockTimeout, deadlineOf: ({ deadline }) => deadline },
  });
  const settle = createBatcher({
    maxSize,
    concurrency,
    flush: (requests: (SettleOperationRequest & { retryUntil: Date })[]) => settleOperations(deps, requests),
    aside: { isHeldUp: isLockTimeout, deadlineOf: ({ retryUntil }) => retryUntil },
  });
  const takeSteps = async (begun: Begun, deadline: Date, retryUntil: Date) => {
    const decide = () => decideOperation(deps, begun, deadline);
    const decision = await retry(decide, { mayRetry: isBusy, deadline: retryUntil });
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      const settled = await settle.submit({ operation: begun.operation, decision, retryUntil });
      if (settled !== 'WAITING') return settled;
      if (deps.now().getTime() + pauseMs > deadline.getTime())
        throw new Error('It waits for another operation.');
      await pause(pauseMs);
    }
  };
  const underWay = createUnderWay<FirstAnswer>();

  return {
    accept: (request) => accept.submit(request),
    resolve: (begun, deadline, retryUntil = deadline) =>
      underWay(begun.operation.id, () => takeSteps(begun, deadline, retryUntil)),
    async drain() {
      for (const batcher of [accept, settle]) await batcher.drain();
    },
  };
}
