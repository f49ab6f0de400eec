/**
 * Collects the dead letters of a topic, so that they can be listed and sent back one by one. The group continues after the dead
 * letters that it has stored.
 */
import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import { inTime } from '../../process/in-time.ts';
import { createOutage } from '../../process/outage.ts';
import { retry } from '../../process/retry.ts';
import type { Logger } from '../../telemetry/log.ts';
import { runConsumer, STOP_MS, withHeartbeats } from './consumer.ts';
import { type KafkaSettings, kafkaClient } from './producer.ts';
import type { RawMessage } from './raw-message.ts';

export interface CollectorSettings extends KafkaSettings {
  /** The dead-letter topic. Its group is named `<topic>.redrive`. */
  topic: string;
}

export interface CollectedMessage extends RawMessage {
  partition: number;
  offset: bigint;
  /** When the broker stored it. */
  storedAt: Date;
}

export interface Collector {
  /** The reason why nothing is collected at present, if there is one. */
  problem(): string | undefined;
  stop(): Promise<void>;
}

/** Starts in the background. A message may be stored twice: `store` is idempotent by partition, offset and time. */
export function collectDeadLetters(
  settings: CollectorSettings,
  store: (messages: CollectedMessage[]) => Promise<void>,
  log: Logger,
): Collector {
  const { topic } = settings;
  const stopping = new AbortController();

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, heartbeat, resolveOffset, uncommittedOffsets, commitOffsetsIfNecessary } = payload;
    const messages = batch.messages.map((message) => collected(batch.partition, message));
    // While the database is unavailable, the messages wait in the topic.
    const mayRetry = () => !stopping.signal.aborted;
    await withHeartbeats(
      retry(() => store(messages), { mayRetry, stopping: stopping.signal }),
      heartbeat,
    );
    resolveOffset(batch.lastOffset());
    await commitOffsetsIfNecessary(uncommittedOffsets());
  }

  const outage = createOutage();
  const running = runConsumer(
    kafkaClient(settings, log),
    { ...settings, groupId: `${topic}.redrive` },
    { eachBatch, onJoin: () => {}, outage },
    stopping.signal,
    log,
  );
  return {
    problem: () => (outage.isLong() ? 'kafka is unavailable' : undefined),
    async stop() {
      stopping.abort();
      const leave = async () => {
        const consumer = await running;
        await consumer?.stop();
        await consumer?.disconnect();
      };
      await inTime(leave(), STOP_MS, () =>
        log.warn({ topic }, 'the collector of dead letters did not stop in time'),
      );
    },
  };
}

function collected(partition: number, message: KafkaMessage): CollectedMessage {
  const { key, value, headers = {}, offset, timestamp } = message;
  return { key, value, headers, partition, offset: BigInt(offset), storedAt: new Date(Number(timestamp)) };
}
