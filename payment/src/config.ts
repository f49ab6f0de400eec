/** Payment's configuration. The only reader of the environment. */
import {
  ConfigError,
  identitySettings,
  kafkaConfig,
  kafkaSettings,
  ownerSettings,
  portSetting,
  postgresConfig,
  postgresSettings,
  rabbitConfig,
  rabbitSettings,
  readEnvironment,
  sandboxConfig,
  sandboxSettings,
  serviceConfig,
  serviceSettings,
} from '@payflowx/chassis';
import { Type } from 'typebox';

/**
 * A payment or operation whose rows stay locked for longer is retried outside the batches. The timeout is longer than a batch of
 * another instance, which takes milliseconds.
 */
const LOCK_TIMEOUT_MS = 250;

export const schema = Type.Object({
  ...serviceSettings,
  GRPC_PORT: portSetting(50_053),
  ...postgresSettings,
  ...kafkaSettings,
  EVENTS_TOPIC: Type.String({ default: 'payment-events' }),
  ...rabbitSettings,
  NOTIFICATIONS_QUEUE: Type.String({ default: 'payment-notifications' }),
  ...identitySettings,
  ...sandboxSettings,
  AUTHORIZATION_TARGET: Type.String({ default: 'consul:///authorization' }),
  AUTHORIZE_DEADLINE_MS: Type.Integer({ minimum: 50, maximum: 60_000, default: 2_000 }),
  BATCH_SIZE: Type.Integer({ minimum: 1, maximum: 500, default: 200 }),
  BATCHES_IN_FLIGHT: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  HOLD_DURATION_S: Type.Integer({ minimum: 1, maximum: 30 * 24 * 60 * 60, default: 7 * 24 * 60 * 60 }),
  EXPIRY_INTERVAL_MS: Type.Integer({ minimum: 10, default: 1_000 }),
  RECOVERY_INTERVAL_MS: Type.Integer({ minimum: 10, default: 500 }),
  RECOVERY_AFTER_MS: Type.Integer({ minimum: 100, default: 3_000 }),
  IDEMPOTENCY_RETENTION_H: Type.Integer({ minimum: 24, default: 25 }),
});

const MIGRATIONS = new URL('../migrations/', import.meta.url);

/** Reads the configuration. Throws ConfigError with everything that is wrong. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const read = readEnvironment(schema, env);
  if (read.RECOVERY_AFTER_MS <= read.AUTHORIZE_DEADLINE_MS) {
    // Otherwise recovery would retry payments whose own request is still waiting. That is harmless, but twice the work.
    throw new ConfigError(['RECOVERY_AFTER_MS must be greater than AUTHORIZE_DEADLINE_MS']);
  }
  return {
    ...serviceConfig(read),
    ...postgresConfig(read, MIGRATIONS, { lockTimeoutMs: LOCK_TIMEOUT_MS }),
    kafka: kafkaConfig(read),
    eventsTopic: read.EVENTS_TOPIC,
    rabbit: rabbitConfig(read),
    notificationsQueue: read.NOTIFICATIONS_QUEUE,
    authTarget: read.AUTH_TARGET,
    authorizationTarget: read.AUTHORIZATION_TARGET,
    flow: {
      sandbox: sandboxConfig(read),
      authorizeDeadlineMs: read.AUTHORIZE_DEADLINE_MS,
      batchSize: read.BATCH_SIZE,
      batchesInFlight: read.BATCHES_IN_FLIGHT,
      holdMs: read.HOLD_DURATION_S * 1_000,
      recoverAfterMs: read.RECOVERY_AFTER_MS,
    },
    expiryIntervalMs: read.EXPIRY_INTERVAL_MS,
    recoveryIntervalMs: read.RECOVERY_INTERVAL_MS,
    retentionMs: read.IDEMPOTENCY_RETENTION_H * 60 * 60 * 1_000,
  };
}

/** The settings of `restore.ts`. It connects as the owner of the database, because the serving role may not change keys. */
export function loadRestoreConfig(env: NodeJS.ProcessEnv) {
  const { LOG_LEVEL, EVENTS_TOPIC, HOLD_DURATION_S } = schema.properties;
  const settings = { LOG_LEVEL, EVENTS_TOPIC, HOLD_DURATION_S, ...kafkaSettings, ...ownerSettings };
  const read = readEnvironment(Type.Object(settings), env);
  return {
    logLevel: read.LOG_LEVEL,
    ownerUrl: read.POSTGRES_MIGRATE_URL,
    migrations: MIGRATIONS,
    events: { ...kafkaConfig(read), clientId: 'payment', topic: read.EVENTS_TOPIC },
    defaultHoldMs: read.HOLD_DURATION_S * 1_000,
  };
}

/** The settings of `republish.ts`. */
export function loadRepublishConfig(env: NodeJS.ProcessEnv) {
  const { LOG_LEVEL, POSTGRES_URL } = schema.properties;
  const read = readEnvironment(Type.Object({ LOG_LEVEL, POSTGRES_URL }), env);
  return {
    logLevel: read.LOG_LEVEL,
    ...postgresConfig({ ...read, POSTGRES_POOL_MAX: 2 }, MIGRATIONS),
  };
}
