/**
 * The three steps of a payment as a flow of batches: what arrives while a flush runs leaves together with the next one. Where somebody has
 * a row locked that a payment needs, the payment is tried again apart from the batches, and no other one waits for it.
 */
import { createBatcher, isLockTimeout } from '@payflowx/chassis';
import { type AuthorizeRequest, isBusy } from '../clients/authorization.ts';
import type { Decision, Payment } from '../domain/payment.ts';
import { type Acceptance, type AcceptDeps, type AcceptRequest, acceptPayments } from './accept-payments.ts';
import { type AuthorizeDeps, authorizePayments } from './authorize-payments.ts';
import { type SettleDeps, type SettleRequest, settlePayments } from './settle-payments.ts';
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
  resolve(payment: Payment, deadline: Date, patience?: Patience): Promise<Payment>;
  /** Finishes what is under way and takes no more. */
  drain(): Promise<void>;
}

/** What becomes of a payment that a lock holds up. */
export interface Patience {
  /** Past this it is left to recovery. Default: the deadline. */
  retryUntil?: Date;
  /** Told as soon as it is known. */
  onHeldUp?(): void;
}

type Retried = Required<Pick<Patience, 'retryUntil'>> & Pick<Patience, 'onHeldUp'>;
const RETRIED = {
  deadlineOf: ({ retryUntil }: Retried) => retryUntil,
  onHeldUp: ({ onHeldUp }: Retried) => onHeldUp?.(),
};

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
    aside: { isHeldUp: isLockTimeout },
  });
  const authorize = createBatcher<AuthorizeRequest & Retried, Decision>({
    maxSize,
    concurrency: batchesInFlight ?? CONCURRENCY.authorize,
    flush: (requests) => authorizePayments(deps, requests),
    // Each has its own result, so they can travel together, and authorization refuses those whose account is locked at once.
    aside: { isHeldUp: isBusy, maxSize, concurrency: 1, ...RETRIED },
  });
  const settle = createBatcher<SettleRequest & Retried, Payment>({
    maxSize,
    concurrency: batchesInFlight ?? CONCURRENCY.settle,
    flush: (requests) => settlePayments(deps, requests),
    aside: { isHeldUp: isLockTimeout, ...RETRIED },
  });
  const takeSteps = async (payment: Payment, deadline: Date, patience: Patience) => {
    const latest = new Date(deps.now().getTime() + deps.authorizeDeadlineMs);
    const retried: Retried = { retryUntil: deadline, ...patience };
    const decision = await authorize.submit({
      payment,
      deadline: deadline < latest ? deadline : latest,
      ...retried,
    });
    return settle.submit({ payment, decision, ...retried });
  };
  // Under overload a payment may wait here for longer than recovery does: it must not be queued a second time then.
  const underWay = createUnderWay<Payment>();

  return {
    accept: (request) => accept.submit(request),
    resolve: (payment, deadline, patience = {}) =>
      underWay(payment.id, () => takeSteps(payment, deadline, patience)),
    async drain() {
      for (const batcher of [accept, authorize, settle]) await batcher.drain();
    },
  };
}
