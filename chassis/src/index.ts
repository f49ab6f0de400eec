/**
 * The library of all PayFlowX services. It contains nothing of any domain. Postgres, Kafka and RabbitMQ have separate entries: a
 * service loads only the clients of the servers that it uses.
 */

export * from './batching/batcher.ts';
export { maySucceedInParts, splitOnFailure } from './batching/split-on-failure.ts';
export * from './ids.ts';
export {
  cloudEventMessage,
  type EventFacts,
  type IncomingMessage,
  type OutgoingEvent,
  type OutgoingMessage,
} from './messaging/cloud-events.ts';
export { type Parcel, packParcel, unpackParcel } from './messaging/parcel.ts';
export { RefusedError } from './messaging/refused.ts';
export * from './process/environment.ts';
export * from './process/faults.ts';
export { inTime, inTimeUnlessGivenUp } from './process/in-time.ts';
export { type Repetition, repeat } from './process/repeat.ts';
export { retry } from './process/retry.ts';
export * from './process/run.ts';
export * from './process/settings.ts';
export * from './process/shared-runs.ts';
export {
  type Access,
  type AccessTable,
  requireAccess,
  requireScope,
  type ScopedAccess,
} from './rpc/access.ts';
export {
  ACCESS_TOKEN_LIFETIME_S,
  isCanonical,
  isTimely,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
  TOKEN_TYPE,
  type TokenTimes,
} from './rpc/access-token.ts';
export * from './rpc/caller.ts';
export {
  type CallSettings,
  connectGrpc,
  type Neighbour,
  type NeighbourSettings,
  type ServiceMethods,
} from './rpc/client.ts';
export * from './rpc/clock-skew.ts';
export * from './rpc/errors.ts';
export type { HealthCheck, HealthChecks } from './rpc/health.ts';
export * from './rpc/identity.ts';
export * from './rpc/key-store.ts';
export * from './rpc/known-tokens.ts';
export { type LimitsCheck, limitsOf } from './rpc/limits.ts';
export { MAX_PAGE_TOKEN_LENGTH, MAX_POSITION_BYTES } from './rpc/page-tokens.ts';
export * from './rpc/paging.ts';
export { recordRefusal } from './rpc/refusals.ts';
export * from './rpc/server.ts';
export * from './rpc/sums.ts';
export * from './sql-state.ts';
export { createLogger, type Logger } from './telemetry/log.ts';
export * from './telemetry/security-events.ts';
export * from './telemetry/trace.ts';
