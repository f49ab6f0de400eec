/**
 * Publishes the outbox to Kafka and RabbitMQ in the background. If one broker is unavailable, payments and the other broker are
 * not delayed.
 */

import {
  type KafkaConnection,
  type Logger,
  type MessagingSystem,
  type Parcel,
  type RabbitConnection,
  unpackParcel,
} from '@payflowx/chassis';
import { connectKafkaProducer } from '@payflowx/chassis/kafka';
import { startOutboxRelay } from '@payflowx/chassis/postgres';
import { connectRabbitPublisher } from '@payflowx/chassis/rabbit';
import { EVENTS_DESTINATION, NOTIFICATIONS_DESTINATION } from './messages/payment-event.ts';

export interface RelaySettings {
  postgres: { url: string };
  kafka: KafkaConnection;
  eventsTopic: string;
  rabbit: RabbitConnection;
  notificationsQueue: string;
  instanceId: string;
}

interface Stoppable {
  stop(): Promise<void>;
}

/** Returns at once. Messages stay in the outbox until their broker confirms them. */
export function startOutboxRelays(settings: RelaySettings, log: Logger): Stoppable {
  const starting = [relayToKafka(settings, log), relayToRabbit(settings, log)];
  return {
    async stop() {
      for (const relay of await Promise.all(starting)) await relay.stop();
    },
  };
}

async function relayToKafka(settings: RelaySettings, log: Logger): Promise<Stoppable> {
  const { instanceId: clientId, eventsTopic } = settings;
  const kafka = await connectKafkaProducer({ ...settings.kafka, clientId }, log);
  const publish = (parcels: Parcel[]) => kafka.publish(eventsTopic, parcels.flatMap(unpackParcel));
  return relay(
    settings,
    { destination: EVENTS_DESTINATION, system: 'kafka' },
    { publish, close: kafka.close },
    log,
  );
}

async function relayToRabbit(settings: RelaySettings, log: Logger): Promise<Stoppable> {
  const { rabbit, notificationsQueue: queue } = settings;
  const publisher = await connectRabbitPublisher({ ...rabbit, queue }, log);
  return relay(settings, { destination: NOTIFICATIONS_DESTINATION, system: 'rabbitmq' }, publisher, log);
}

interface Publisher {
  publish(parcels: Parcel[]): Promise<void>;
  close(): Promise<void>;
}

async function relay(
  { postgres }: RelaySettings,
  broker: { destination: string; system: MessagingSystem },
  { publish, close }: Publisher,
  log: Logger,
): Promise<Stoppable> {
  const outboxRelay = await startOutboxRelay({ url: postgres.url, ...broker, publish }, log);
  return {
    async stop() {
      await outboxRelay.stop();
      await close();
    },
  };
}
