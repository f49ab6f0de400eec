/** The only reader of the environment. */
import {
  identitySettings,
  kafkaConfig,
  kafkaSettings,
  ownerSettings,
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
  GRPC_PORT: portSetting(50_056),
  AUTHORIZATION_TARGET: Type.String({ default: 'consul:///authorization' }),
});

const MIGRATIONS = new URL('../migrations/', import.meta.url);

/** The settings of the service. Throws ConfigError with everything that is wrong. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const settings = readEnvironment(schema, env);
  return {
    ...serviceConfig(settings),
    ...postgresConfig(settings, MIGRATIONS, { lockTimeoutMs: LOCK_TIMEOUT_MS }),
    authTarget: settings.AUTH_TARGET,
    authorizationTarget: settings.AUTHORIZATION_TARGET,
    events: {
      ...kafkaConfig(settings),
      clientId: settings.INSTANCE_ID,
      groupId: 'analytics',
      topic: settings.PAYMENT_EVENTS_TOPIC,
      deadLetterTopic: `${settings.PAYMENT_EVENTS_TOPIC}.dlt`,
    },
  };
}

const { LOG_LEVEL } = serviceSettings;
const { POSTGRES_URL } = postgresSettings;

/** The settings of `rebuild.ts`. It connects as the role that owns the tables, because the serving role may not empty them. */
export function loadRebuildConfig(env: NodeJS.ProcessEnv) {
  const settings = readEnvironment(Type.Object({ LOG_LEVEL, ...ownerSettings, ...topicSettings }), env);
  return {
    logLevel: settings.LOG_LEVEL,
    ownerUrl: settings.POSTGRES_MIGRATE_URL,
    events: {
      ...kafkaConfig(settings),
      clientId: 'analytics',
      topic: settings.PAYMENT_EVENTS_TOPIC,
    },
  };
}

/** The settings of `digest.ts`. */
export function loadDigestConfig(env: NodeJS.ProcessEnv) {
  const settings = readEnvironment(Type.Object({ LOG_LEVEL, POSTGRES_URL }), env);
  return { logLevel: settings.LOG_LEVEL, postgres: { url: settings.POSTGRES_URL, poolMax: 1 } };
}
