/** RabbitMQ through Rascal's connections: to publish with confirms, to consume a queue. */
export {
  consumeQueue,
  type QueueConsumer,
  type QueueConsumerSettings,
  type QueueHandlers,
} from './consumer.ts';
export {
  connectRabbitPublisher,
  type QueueSettings,
  type RabbitPublisher,
  UnroutableError,
} from './publisher.ts';
