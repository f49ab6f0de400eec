/** What every PayFlowX service needs and none owns. No word of any domain in here. */
export { type Access, type AccessTable, requireAccess, type ScopedAccess } from './access.ts';
export * from './batcher.ts';
export {
  cloudEventMessage,
  type EventFacts,
  type IncomingMessage,
  type OutgoingEvent,
  type OutgoingMessage,
} from './cloud-events.ts';
export * from './environment.ts';
export * from './errors.ts';
export * from './faults.ts';
export * from './identity.ts';
export * from './ids.ts';
export { firstDeliveries, insertInbox } from './inbox.ts';
export { connectKafkaProducer, type KafkaProducer, type KafkaSettings } from './kafka.ts';
export {
  type KafkaConsumer,
  type KafkaConsumerSettings,
  type KafkaHandlers,
  startKafkaConsumer,
  type TopicMessage,
} from './kafka-consumer.ts';
export { type Replayed, type ReplaySettings, replayTopic } from './kafka-replay.ts';
export { createLogger, type Logger } from './log.ts';
export { type MigrationSettings, migrate } from './migrations.ts';
export { insertOutbox, type OutboxRow, outboxFrom } from './outbox.ts';
export { type OutboxRelay, type OutboxRelaySettings, startOutboxRelay } from './outbox-relay.ts';
export * from './paging.ts';
export { type Parcel, packParcel, unpackParcel } from './parcel.ts';
export * from './postgres.ts';
export {
  connectRabbitPublisher,
  type QueueSettings,
  type RabbitPublisher,
  UnroutableError,
} from './rabbit.ts';
export {
  consumeQueue,
  type QueueConsumer,
  type QueueConsumerSettings,
  type QueueHandlers,
} from './rabbit-consumer.ts';
export { redriveDeadLetterQueue, redriveDeadLetters } from './redrive.ts';
export { type Repetition, repeat } from './repeat.ts';
export {
  type CallSettings,
  connectGrpc,
  type Neighbour,
  type NeighbourSettings,
  type ServiceMethods,
} from './rpc-client.ts';
export * from './rpc-server.ts';
export * from './run.ts';
export * from './trace.ts';
