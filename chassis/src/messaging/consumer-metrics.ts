/** How far a consumer is behind: in messages, and in seconds. */
import { gauges } from '../telemetry/metrics.ts';

export interface Lag {
  /** Messages that are not applied yet. */
  messages: number;
  /** The age of the oldest of them, or a lower bound of it. */
  seconds: number;
}

/** The lag is read from the broker, so not for each scrape of many. */
const READ_EVERY_MS = 5_000;

/** `source` is the topic or queue. */
export function measureLag(source: string, read: () => Promise<Lag>): void {
  const labels = { source };
  gauges(
    {
      'payflowx.consumer.lag.messages': { description: 'Messages that the consumer has not applied yet' },
      'payflowx.consumer.lag': {
        description: 'Age of the oldest message that is not applied yet',
        unit: 's',
      },
    },
    async () => {
      const { messages, seconds } = await read();
      return [
        { name: 'payflowx.consumer.lag.messages', value: messages, labels },
        { name: 'payflowx.consumer.lag', value: seconds, labels },
      ];
    },
    { everyMs: READ_EVERY_MS },
  );
}
