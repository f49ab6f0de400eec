/** The only reader of the environment. */
import {
  identitySettings,
  kafkaConfig,
  kafkaSettings,
  portSetting,
  postgresConfig,
  postgresSettings,
  readEnvironment,
  serviceConfig,
  serviceSettings,
} from '@payflowx/chassis';
import { Type } from 'typebox';

const topicSettings = {
  ...kafkaSettings,
  PAYMENT_EVENTS_TOPIC: Type.String({ default: 'payment-events' }),
};

/**
 * The consumer sets a message aside if its rows stay locked for longer. The batch of another instance takes milliseconds and is
 * waited for.
 */
const LOCK_TIMEOUT_MS = 1_000;

export const schema = Type.Object({
  ...serviceSettings,
  ...postgresSettings,
  ...topicSettings,
  ...identitySettings,
  GRPC_PORT: portSetting(50_054),
  AUTHORIZATION_TARGET: Type.String({ default: 'consul:///authorization' }),
  PAYMENT_TARGET: Type.String({ default: 'consul:///payment' }),
  ANALYTICS_TARGET: Type.String({ default: 'consul:///analytics' }),
  NOTIFICATION_TARGET: Type.String({ default: 'consul:///notification' }),
  RECONCILE_EVERY_S: Type.Integer({ minimum: 0, default: 3_600 }),
  RECONCILE_GAP_MS: Type.Integer({ minimum: 0, maximum: 60_000, default: 2_000 }),
  RECONCILE_REREADINGS: Type.Integer({ minimum: 1, maximum: 20, default: 4 }),
  SEAL_INTERVAL_MS: Type.Integer({ minimum: 10, maximum: 60_000, default: 1_000 }),
});

const MIGRATIONS = new URL('../migrations/', import.meta.url);

/** The settings of the service. Throws ConfigError with everything that is wrong. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const settings = readEnvironment(schema, env);
  return {
    ...serviceConfig(settings),
    ...postgresConfig(settings, MIGRATIONS, { lockTimeoutMs: LOCK_TIMEOUT_MS }),
    authTarget: settings.AUTH_TARGET,
    sealIntervalMs: settings.SEAL_INTERVAL_MS,
    authorizationTarget: settings.AUTHORIZATION_TARGET,
    reconciliation: {
      postgresUrl: settings.POSTGRES_URL,
      targets: {
        authorization: settings.AUTHORIZATION_TARGET,
        payment: settings.PAYMENT_TARGET,
        analytics: settings.ANALYTICS_TARGET,
        notification: settings.NOTIFICATION_TARGET,
      },
      everyMs: settings.RECONCILE_EVERY_S * 1_000,
      settings: { gapMs: settings.RECONCILE_GAP_MS, rereadings: settings.RECONCILE_REREADINGS },
    },
    events: {
      ...kafkaConfig(settings),
      clientId: settings.INSTANCE_ID,
      groupId: 'ledger',
      topic: settings.PAYMENT_EVENTS_TOPIC,
      deadLetterTopic: `${settings.PAYMENT_EVENTS_TOPIC}.dlt`,
    },
  };
}

const { LOG_LEVEL } = serviceSettings;

/** The settings of `rebuild.ts`. */
export function loadRebuildConfig(env: NodeJS.ProcessEnv) {
  const settings = readEnvironment(Type.Object({ LOG_LEVEL, ...postgresSettings, ...topicSettings }), env);
  return {
    logLevel: settings.LOG_LEVEL,
    ...postgresConfig(settings, MIGRATIONS),
    events: {
      ...kafkaConfig(settings),
      clientId: 'ledger',
      topic: settings.PAYMENT_EVENTS_TOPIC,
    },
  };
}

/** The settings of `digest.ts`. */
export function loadDigestConfig(env: NodeJS.ProcessEnv) {
  const { POSTGRES_URL } = postgresSettings;
  const settings = readEnvironment(Type.Object({ LOG_LEVEL, POSTGRES_URL }), env);
  return { logLevel: settings.LOG_LEVEL, postgres: { url: settings.POSTGRES_URL, poolMax: 1 } };
}
