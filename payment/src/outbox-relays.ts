/**
 * Publishes the outbox to Kafka and RabbitMQ in the background. If one broker is unavailable, payments and the other broker are
 * not delayed.
 */

import { type Logger, type Parcel, unpackParcel } from '@payflowx/chassis';
import { connectKafkaProducer } from '@payflowx/chassis/kafka';
import { startOutboxRelay } from '@payflowx/chassis/postgres';
import { connectRabbitPublisher } from '@payflowx/chassis/rabbit';
import { EVENTS_DESTINATION, NOTIFICATIONS_DESTINATION } from './messages/payment-event.ts';

export interface RelaySettings {
  postgres: { url: string };
  kafkaBrokers: string;
  eventsTopic: string;
  rabbitUrl: string;
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
  const { kafkaBrokers: brokers, instanceId: clientId, eventsTopic } = settings;
  const kafka = await connectKafkaProducer({ brokers, clientId }, log);
  const publish = (parcels: Parcel[]) => kafka.publish(eventsTopic, parcels.flatMap(unpackParcel));
  return relay(settings, EVENTS_DESTINATION, { publish, close: kafka.close }, log);
}

async function relayToRabbit(settings: RelaySettings, log: Logger): Promise<Stoppable> {
  const { rabbitUrl: url, notificationsQueue: queue } = settings;
  return relay(settings, NOTIFICATIONS_DESTINATION, await connectRabbitPublisher({ url, queue }, log), log);
}

interface Publisher {
  publish(parcels: Parcel[]): Promise<void>;
  close(): Promise<void>;
}

async function relay(
  { postgres }: RelaySettings,
  destination: string,
  { publish, close }: Publisher,
  log: Logger,
): Promise<Stoppable> {
  const outboxRelay = await startOutboxRelay({ url: postgres.url, destination, publish }, log);
  return {
    async stop() {
      await outboxRelay.stop();
      await close();
    },
  };
}
