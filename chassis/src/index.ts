/**
 * What every PayFlowX service needs and none owns. No word of any domain in here. Postgres, Kafka and RabbitMQ are entries
 * of their own: a service loads the clients of the servers that it talks to, and no others.
 */
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
export { inTime } from './in-time.ts';
export { createLogger, type Logger } from './log.ts';
export * from './paging.ts';
export { type Parcel, packParcel, unpackParcel } from './parcel.ts';
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
export * from './sql-state.ts';
export * from './trace.ts';
