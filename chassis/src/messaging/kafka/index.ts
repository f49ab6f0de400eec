/** Kafka behind a small interface: publishes, consumes a topic, and reads a topic again from its start. */
export {
  type KafkaConsumer,
  type KafkaConsumerSettings,
  type KafkaHandlers,
  startKafkaConsumer,
  type TopicEnds,
  type TopicMessage,
} from './consumer.ts';
export { type Collector, type CollectorSettings, collectDeadLetters } from './dead-letter-topic.ts';
export {
  connectKafkaProducer,
  connectRawProducer,
  type KafkaProducer,
  type KafkaSettings,
} from './producer.ts';
export { type Replayed, type ReplaySettings, replayTopic } from './replay.ts';
