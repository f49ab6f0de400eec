/**
 * The library of all PayFlowX services. It contains nothing of any domain. Postgres, Kafka and RabbitMQ have separate entries: a
 * service loads only the clients of the servers that it uses.
 */

export * from './batching/batcher.ts';
export { maySucceedInParts, splitOnFailure } from './batching/split-on-failure.ts';
export * from './errors.ts';
export * from './ids.ts';
export * from './keys.ts';
export {
  cloudEventMessage,
  type EventFacts,
  type EventMessage,
  type OutgoingEvent,
} from './messaging/cloud-events.ts';
export { type DeadLetterServiceDeps, deadLetterService } from './messaging/dead-letter-service.ts';
export type { DeadLetterSource } from './messaging/dead-letter-source.ts';
export type { MessagingSystem } from './messaging/message-spans.ts';
export { type Parcel, packParcel, unpackParcel } from './messaging/parcel.ts';
export { type PipelineDeps, pipelineService, type Stage } from './messaging/pipeline-service.ts';
export { RefusedError } from './messaging/refused.ts';
export type { Authorities } from './process/authorities.ts';
export { boundIdleConnections } from './process/bounded-connections.ts';
export * from './process/connections.ts';
export * from './process/environment.ts';
export * from './process/faults.ts';
export { inTime, inTimeUnlessGivenUp } from './process/in-time.ts';
export * from './process/keys.ts';
export { type Repetition, repeat } from './process/repeat.ts';
export { retry } from './process/retry.ts';
export * from './process/run.ts';
export { sandboxConfig, sandboxSettings } from './process/sandbox.ts';
export { secretNames, secretSetting } from './process/secret-files.ts';
export * from './process/settings.ts';
export * from './process/shared-runs.ts';
export {
  type Access,
  type AccessTable,
  requireAccess,
  requireScope,
  requireSetup,
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
export { recordServed } from './rpc/call-spans.ts';
export * from './rpc/caller.ts';
export {
  type CallSettings,
  connectGrpc,
  type Neighbour,
  type NeighbourSettings,
  type OnBehalf,
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
export * from './rpc/revocations.ts';
export * from './rpc/server.ts';
export * from './rpc/sums.ts';
export * from './sql-state.ts';
export { createLogger, type Logger } from './telemetry/log.ts';
export { counter, gauges, histogram, type Labels, type Reading } from './telemetry/metrics.ts';
export * from './telemetry/security-events.ts';
export {
  isRecorded,
  recordSpan,
  type SpanFacts,
  SpanKind,
} from './telemetry/spans.ts';
export * from './telemetry/trace.ts';
export { measureCertificate } from './tls/certificate-metrics.ts';
export { type Certificates, renewableCertificates, type TlsMaterial } from './tls/certificates.ts';
export { fileCertificates } from './tls/file-certificates.ts';
export { openCertificates } from './tls/open-certificates.ts';
