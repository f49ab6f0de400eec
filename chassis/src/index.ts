/** What every PayFlowX service needs and none owns. No word of any domain in here. */
export * from './batcher.ts';
export * from './environment.ts';
export * from './errors.ts';
export * from './faults.ts';
export * from './identity.ts';
export * from './ids.ts';
export { createLogger, type Logger } from './log.ts';
export { type MigrationSettings, migrate } from './migrations.ts';
export * from './paging.ts';
export * from './postgres.ts';
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
