/** Reads how many events the ledger has not consumed yet: in payment's outbox, and in the topic. */
import { connectGrpc } from '@payflowx/chassis';
import { PaymentServiceClient } from '@payflowx/proto/payment';

export interface EventLag {
  /** Rejects if payment or Kafka does not answer. */
  count(): Promise<bigint>;
  close(): void;
}

const DEADLINE_MS = 3_000;
/** The name of the topic in payment's outbox. */
const DESTINATION = 'payment-events';

export function connectEventLag({
  topicLag,
  ...settings
}: {
  target: string;
  token: () => Promise<string>;
  /** Number of events in the topic that are not consumed yet. */
  topicLag: () => Promise<bigint>;
}): EventLag {
  const payment = connectGrpc(PaymentServiceClient, { ...settings, retryable: ['getRecoveryStatus'] });
  return {
    async count() {
      // The outbox is read first. An event that moves on meanwhile is then counted twice, and never missed.
      const { outbox } = await payment.getRecoveryStatus({}, { deadlineMs: DEADLINE_MS });
      const waiting = outbox
        .filter(({ destination }) => destination === DESTINATION)
        .reduce((sum, { waitingCount, refusedCount }) => sum + waitingCount + refusedCount, 0n);
      return waiting + (await topicLag());
    },
    close: () => payment.close(),
  };
}
