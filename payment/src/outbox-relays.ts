/** Carries the outbox to Kafka and RabbitMQ. A broker that is away is waited for; payments go on meanwhile. */
import {
  connectKafkaProducer,
  connectRabbitPublisher,
  type Logger,
  type RunContext,
  startOutboxRelay,
} from '@payflowx/chassis';
import { EVENTS_DESTINATION, NOTIFICATIONS_DESTINATION } from './messages/payment-event.ts';

interface RelaySettings {
  postgres: { url: string };
  kafkaBrokers: string;
  rabbitUrl: string;
  instanceId: string;
}

export async function startOutboxRelays(
  { postgres, kafkaBrokers, rabbitUrl, instanceId }: RelaySettings,
  log: Logger,
  onStop: RunContext['onStop'],
): Promise<void> {
  const kafka = await connectKafkaProducer({ brokers: kafkaBrokers, clientId: instanceId }, log);
  onStop('kafka producer', () => kafka.close());
  const events = await startOutboxRelay(
    {
      url: postgres.url,
      destination: EVENTS_DESTINATION,
      publish: (messages) => kafka.publish(EVENTS_DESTINATION, messages),
    },
    log,
  );
  onStop('outbox relay to kafka', () => events.stop());

  const rabbit = await connectRabbitPublisher({ url: rabbitUrl, queue: NOTIFICATIONS_DESTINATION }, log);
  onStop('rabbitmq publisher', () => rabbit.close());
  const notifications = await startOutboxRelay(
    {
      url: postgres.url,
      destination: NOTIFICATIONS_DESTINATION,
      publish: (messages) => rabbit.publish(messages),
    },
    log,
  );
  onStop('outbox relay to rabbitmq', () => notifications.stop());
}
