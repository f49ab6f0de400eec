/** The three steps of an operation. Storing happens in batches; authorization is asked for each by itself. */
import { setTimeout as pause } from 'node:timers/promises';
import { createBatcher } from '@payflowx/chassis';
import type { FirstAnswer } from '../store/idempotency-keys.ts';
import {
  type AcceptOperationDeps,
  acceptOperations,
  type Begun,
  type OperationAcceptance,
  type OperationRequest,
} from './accept-operations.ts';
import { type DecideDeps, decideOperation } from './decide-operation.ts';
import { type BatchSettings, MAX_QUEUED } from './payment-flow.ts';
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
   * Safe to do any number of times, also at once, here and in other instances.
   */
  resolve(begun: Begun, deadline: Date): Promise<FirstAnswer>;
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
    maxQueued: MAX_QUEUED,
    flush: (requests: OperationRequest[]) => acceptOperations(deps, requests),
  });
  const settle = createBatcher({
    maxSize,
    concurrency,
    flush: (requests: SettleOperationRequest[]) => settleOperations(deps, requests),
  });
  const takeSteps = async (begun: Begun, deadline: Date) => {
    const decision = await decideOperation(deps, begun, deadline);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      const settled = await settle.submit({ operation: begun.operation, decision });
      if (settled !== 'WAITING') return settled;
      if (deps.now().getTime() + pauseMs > deadline.getTime())
        throw new Error('It waits for another operation.');
      await pause(pauseMs);
    }
  };
  const underWay = createUnderWay<FirstAnswer>();

  return {
    accept: (request) => accept.submit(request),
    resolve: (begun, deadline) => underWay(begun.operation.id, () => takeSteps(begun, deadline)),
    async drain() {
      for (const batcher of [accept, settle]) await batcher.drain();
    },
  };
}
