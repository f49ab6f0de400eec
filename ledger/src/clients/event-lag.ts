/** Reads how many events the ledger has not consumed yet: in payment's outbox, and in the topic. */
import { type Certificates, connectGrpc } from '@payflowx/chassis';
import { PaymentServiceClient } from '@payflowx/proto/payment';

export interface EventLag {
  /** Rejects if payment or Kafka does not answer. */
  count(): Promise<bigint>;
  /** Those of the accounts, at most 1,000, with a payment without an outcome, or with an event that is not published yet. */
  unfinishedAmong(accountIds: readonly string[]): Promise<ReadonlySet<string>>;
  close(): void;
}

const DEADLINE_MS = 3_000;
/** Payment sums the payments of these accounts. An external account has many. */
const FIGURES_DEADLINE_MS = 15_000;
/** The name of the topic in payment's outbox. */
const DESTINATION = 'payment-events';

export function connectEventLag({
  topicLag,
  ...settings
}: {
  target: string;
  certificates: Certificates;
  /** Number of events in the topic that are not consumed yet. */
  topicLag: () => Promise<bigint>;
}): EventLag {
  const payment = connectGrpc(PaymentServiceClient, {
    ...settings,
    retryable: ['getRecoveryStatus', 'listAccountFigures'],
  });
  return {
    async count() {
      // The outbox is read first. An event that moves on meanwhile is then counted twice, and never missed.
      const { outbox } = await payment.getRecoveryStatus({}, { deadlineMs: DEADLINE_MS });
      const waiting = outbox
        .filter(({ destination }) => destination === DESTINATION)
        .reduce((sum, { waitingCount, refusedCount }) => sum + waitingCount + refusedCount, 0n);
      return waiting + (await topicLag());
    },
    async unfinishedAmong(accountIds) {
      const request = { pageSize: 0, accountIds: [...accountIds] };
      const unfinished = new Set<string>();
      let pageToken = '';
      do {
        const page = await payment.listAccountFigures(
          { ...request, pageToken },
          { deadlineMs: FIGURES_DEADLINE_MS },
        );
        for (const { accountId, pendingCount } of page.accounts)
          if (pendingCount > 0n) unfinished.add(accountId);
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      return unfinished;
    },
    close: () => payment.close(),
  };
}
