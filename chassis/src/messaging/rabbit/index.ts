/** RabbitMQ through Rascal's connections: publishes with confirms, and consumes a queue. */
export {
  consumeQueue,
  type QueueConsumer,
  type QueueConsumerSettings,
  type QueueHandlers,
} from './consumer.ts';
export { deadLetterQueue } from './dead-letter-queue.ts';
export {
  connectRabbitPublisher,
  type QueueSettings,
  type RabbitPublisher,
  UnroutableError,
} from './publisher.ts';
