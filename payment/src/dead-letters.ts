/**
 * The dead letters of this service: those of the topic payment-events, whose only producer it is, and the events that a broker
 * refused.
 */
import {
  type BoundService,
  type DeadLetterSource,
  deadLetterService,
  type KafkaConnection,
  type Logger,
} from '@payflowx/chassis';
import { collectDeadLetters, connectRawProducer } from '@payflowx/chassis/kafka';
import { collectedDeadLetters, redriveAudit, refusedEvents } from '@payflowx/chassis/postgres';
import { paymentEventJson } from '@payflowx/proto/message-json';
import type { Kysely } from 'kysely';
import type { Database } from './store/database.ts';

export interface DeadLetterSettings {
  kafka: KafkaConnection;
  eventsTopic: string;
  instanceId: string;
}

export interface DeadLetters {
  service: BoundService;
  sources: readonly DeadLetterSource[];
  stop(): Promise<void>;
}

/** Collects in the background. Payments do not depend on it, so it is not part of the health. */
export async function startDeadLetters(
  { kafka, eventsTopic: topic, instanceId: clientId }: DeadLetterSettings,
  { db, log }: { db: Kysely<Database>; log: Logger },
): Promise<DeadLetters> {
  const producer = await connectRawProducer({ ...kafka, clientId }, log);
  const { send } = producer;
  const ofTopic = collectedDeadLetters({ db, name: 'payment-events', topic, send, log });
  const collector = collectDeadLetters({ ...kafka, clientId, topic: `${topic}.dlt` }, ofTopic.store, log);
  const ofOutbox = refusedEvents({ db, name: 'payment-outbox', log });
  const sources = [ofTopic, ofOutbox];
  return {
    sources,
    service: deadLetterService({
      service: 'payment',
      sources,
      audit: redriveAudit(db),
      decode: (_, payload) => paymentEventJson(payload),
    }),
    async stop() {
      await collector.stop();
      await producer.close();
    },
  };
}
