/** The three steps of a payment as a flow of batches: what arrives while a flush runs leaves together with the next one. */
import { createBatcher } from '@payflowx/chassis';
import type { Payment } from '../domain/payment.ts';
import { type Acceptance, type AcceptDeps, type AcceptRequest, acceptPayments } from './accept-payments.ts';
import { type AuthorizeDeps, authorizePayments } from './authorize-payments.ts';
import { type SettleDeps, settlePayments } from './settle-payments.ts';
import { createUnderWay } from './under-way.ts';

export interface BatchSettings {
  /** The most items in one flush. */
  batchSize: number;
  /** Flushes of each kind at once; undefined: as is best for each kind. */
  batchesInFlight?: number | undefined;
}

export type FlowDeps = AcceptDeps & AuthorizeDeps & SettleDeps & BatchSettings;

export interface PaymentFlow {
  /** Step (a), see acceptPayments. */
  accept(request: AcceptRequest): Promise<Acceptance>;
  /**
   * Steps (b) and (c): the payment with its outcome. Rejects if there is none yet, and then recovery brings it.
   * Safe to do for one payment any number of times, also at once: here it is done once for all who ask, and what
   * another instance does leads to the same outcome. Past `deadline` nobody waits for it.
   */
  resolve(payment: Payment, deadline: Date): Promise<Payment>;
  /** Finishes what is under way and takes no more. */
  drain(): Promise<void>;
}

/** Flushes of one kind that may run at once: the next one's statements fill the wait for the last one's commit or answer. */
const CONCURRENCY = { accept: 2, authorize: 4, settle: 2 };

/**
 * Requests that wait for step (a), which takes their key; one more is refused as overload, and nothing of it is stored. The gateway admits
 * fewer than this. Later steps refuse nothing: what was accepted is brought to its end.
 */
export const MAX_QUEUED = 2_500;

export function createPaymentFlow(deps: FlowDeps): PaymentFlow {
  const { batchSize: maxSize, batchesInFlight } = deps;
  const accept = createBatcher({
    maxSize,
    concurrency: batchesInFlight ?? CONCURRENCY.accept,
    maxQueued: MAX_QUEUED,
    flush: (requests: AcceptRequest[]) => acceptPayments(deps, requests),
  });
  const authorize = createBatcher({
    maxSize,
    concurrency: batchesInFlight ?? CONCURRENCY.authorize,
    flush: (requests: Parameters<typeof authorizePayments>[1][number][]) => authorizePayments(deps, requests),
  });
  const settle = createBatcher({
    maxSize,
    concurrency: batchesInFlight ?? CONCURRENCY.settle,
    flush: (requests: Parameters<typeof settlePayments>[1][number][]) => settlePayments(deps, requests),
  });
  const takeSteps = async (payment: Payment, deadline: Date) => {
    const latest = new Date(deps.now().getTime() + deps.authorizeDeadlineMs);
    const decision = await authorize.submit({ payment, deadline: deadline < latest ? deadline : latest });
    return settle.submit({ payment, decision });
  };
  // Under overload a payment may wait here for longer than recovery does: it must not be queued a second time then.
  const underWay = createUnderWay<Payment>();

  return {
    accept: (request) => accept.submit(request),
    resolve: (payment, deadline) => underWay(payment.id, () => takeSteps(payment, deadline)),
    async drain() {
      for (const batcher of [accept, authorize, settle]) await batcher.drain();
    },
  };
}
