/**
 * Runs the three steps of a payment in batches. Requests that arrive during a flush go into the next batch. A payment that needs
 * a locked row is retried outside the batches, so that no other payment waits for it.
 */
import { createBatcher, isLockTimeout } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { type AuthorizeRequest, isBusy } from '../clients/authorization.ts';
import type { Decision, Payment } from '../domain/payment.ts';
import type { Database } from '../store/database.ts';
import { type Acceptance, type AcceptDeps, type AcceptRequest, acceptPayments } from './accept-payments.ts';
import { type AuthorizeDeps, authorizePayments } from './authorize-payments.ts';
import { type SettleDeps, type SettleRequest, settlePayments } from './settle-payments.ts';
import { createSingleFlight } from './single-flight.ts';

export interface BatchSettings {
  /** Maximum number of items in one flush. */
  batchSize: number;
  /** Concurrent flushes of each kind. Undefined uses the defaults in CONCURRENCY. */
  batchesInFlight?: number | undefined;
}

/** Connections for items that a lock holds up. They wait for a lock only briefly, and take no connection from the batches. */
export interface AsideDeps {
  asideDb: Kysely<Database>;
}

export type FlowDeps = AcceptDeps & AuthorizeDeps & SettleDeps & AsideDeps & BatchSettings;

export interface PaymentFlow {
  /** Step (a), see acceptPayments. */
  accept(request: AcceptRequest): Promise<Acceptance>;
  /**
   * Steps (b) and (c). Returns the payment with its outcome. Rejects if there is none yet, and then recovery finishes it.
   *
   * Safe to call for one payment any number of times, also concurrently. Concurrent calls in this instance share one run. A run
   * in another instance leads to the same outcome. The caller of the payment stops waiting at `deadline`.
   */
  resolve(payment: Payment, deadline: Date, lockOptions?: LockOptions): Promise<Payment>;
  /** Finishes the payments in flight and accepts no more. */
  drain(): Promise<void>;
}

/** Options for a payment that is delayed by a lock. */
export interface LockOptions {
  /** After this time the payment is left to recovery. Default: the deadline. */
  retryUntil?: Date;
  /** Called as soon as a lock delays the payment. */
  onHeldUp?(): void;
}

type Retried = Required<Pick<LockOptions, 'retryUntil'>> & Pick<LockOptions, 'onHeldUp'>;
const RETRIED = {
  deadlineOf: ({ retryUntil }: Retried) => retryUntil,
  onHeldUp: ({ onHeldUp }: Retried) => onHeldUp?.(),
};

/** Concurrent flushes of each kind. The statements of one flush run while another one waits for its commit or response. */
const CONCURRENCY = { accept: 2, acceptAside: 4, authorize: 4, settle: 2 };

/**
 * Maximum number of requests that wait for step (a), which takes their key. One more is refused as overload, and nothing of it is
 * stored. The gateway admits fewer requests than this. Later steps refuse nothing, because accepted payments must be finished.
 */
export const MAX_QUEUED = 2_500;

export function createPaymentFlow(deps: FlowDeps): PaymentFlow {
  const { batchSize: maxSize, batchesInFlight } = deps;
  const asideDeps = { ...deps, db: deps.asideDb };
  const accept = createBatcher({
    name: 'accept',
    maxSize,
    concurrency: batchesInFlight ?? CONCURRENCY.accept,
    maxQueued: MAX_QUEUED,
    flush: (requests: AcceptRequest[]) => acceptPayments(deps, requests),
    flushAside: (requests) => acceptPayments(asideDeps, requests),
    aside: { isHeldUp: isLockTimeout, concurrency: CONCURRENCY.acceptAside },
  });
  const authorize = createBatcher<AuthorizeRequest & Retried, Decision>({
    name: 'authorize',
    maxSize,
    concurrency: batchesInFlight ?? CONCURRENCY.authorize,
    flush: (requests) => authorizePayments(deps, requests),
    // Each item has its own result, so delayed items can share a batch. Authorization refuses items with a locked account at
    // once.
    aside: { isHeldUp: isBusy, maxSize, concurrency: 1, ...RETRIED },
  });
  const settle = createBatcher<SettleRequest & Retried, Payment>({
    name: 'settle',
    maxSize,
    concurrency: batchesInFlight ?? CONCURRENCY.settle,
    flush: (requests) => settlePayments(deps, requests),
    flushAside: (requests) => settlePayments(asideDeps, requests),
    aside: { isHeldUp: isLockTimeout, ...RETRIED },
  });
  const takeSteps = async (payment: Payment, deadline: Date, lockOptions: LockOptions) => {
    const latest = new Date(deps.now().getTime() + deps.authorizeDeadlineMs);
    const retried: Retried = { retryUntil: deadline, ...lockOptions };
    const decision = await authorize.submit({
      payment,
      deadline: deadline < latest ? deadline : latest,
      ...retried,
    });
    return settle.submit({ payment, decision, ...retried });
  };
  // Under overload a payment may wait here longer than recovery waits. Recovery must not queue it a second time.
  const singleFlight = createSingleFlight<Payment>();

  return {
    accept: (request) => accept.submit(request),
    resolve: (payment, deadline, lockOptions = {}) =>
      singleFlight(payment.id, () => takeSteps(payment, deadline, lockOptions)),
    async drain() {
      for (const batcher of [accept, authorize, settle]) await batcher.drain();
    },
  };
}
