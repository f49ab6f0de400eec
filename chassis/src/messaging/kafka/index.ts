/** Kafka behind a small interface: publishes, consumes a topic, and reads a topic again from its start. */
export {
  type KafkaConsumer,
  type KafkaConsumerSettings,
  type KafkaHandlers,
  startKafkaConsumer,
  type TopicMessage,
} from './consumer.ts';
export { connectKafkaProducer, type KafkaProducer, type KafkaSettings } from './producer.ts';
export { type Replayed, type ReplaySettings, replayTopic } from './replay.ts';
