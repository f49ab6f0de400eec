/** The only reader of the environment. */
import {
  identitySettings,
  kafkaSettings,
  postgresSettings,
  readEnvironment,
  serviceSettings,
} from '@payflowx/chassis';
import { Type } from 'typebox';

const topicSettings = {
  ...kafkaSettings,
  PAYMENT_EVENTS_TOPIC: Type.String({ default: 'payment-events' }),
};

/** Messages whose rows stay locked for longer are set aside. Another instance's batch, which takes milliseconds, is waited for. */
const LOCK_TIMEOUT_MS = 1_000;

const schema = Type.Object({
  ...serviceSettings,
  ...postgresSettings,
  ...topicSettings,
  ...identitySettings,
  GRPC_PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 50_056 }),
  AUTHORIZATION_TARGET: Type.String({ default: 'consul:///authorization' }),
});

const migrationsFolder = new URL('../migrations/', import.meta.url);

/** What the service needs. Throws ConfigError with everything that is wrong. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const settings = readEnvironment(schema, env);
  return {
    logLevel: settings.LOG_LEVEL,
    instanceId: settings.INSTANCE_ID,
    faultsDir: settings.FAULTS_DIR,
    grpc: { host: settings.GRPC_HOST, port: settings.GRPC_PORT, reflection: settings.GRPC_REFLECTION },
    consulUrl: settings.CONSUL_URL,
    postgres: {
      url: settings.POSTGRES_URL,
      poolMax: settings.POSTGRES_POOL_MAX,
      lockTimeoutMs: LOCK_TIMEOUT_MS,
    },
    migrations: { url: settings.POSTGRES_MIGRATE_URL, folder: migrationsFolder },
    identity: {
      target: settings.AUTH_TARGET,
      clientId: settings.SERVICE_CLIENT_ID,
      clientSecret: settings.SERVICE_CLIENT_SECRET,
    },
    authorizationTarget: settings.AUTHORIZATION_TARGET,
    events: {
      brokers: settings.KAFKA_BROKERS,
      clientId: settings.INSTANCE_ID,
      groupId: 'analytics',
      topic: settings.PAYMENT_EVENTS_TOPIC,
      deadLetterTopic: `${settings.PAYMENT_EVENTS_TOPIC}.dlt`,
    },
  };
}

const { LOG_LEVEL } = serviceSettings;
const { POSTGRES_URL, POSTGRES_MIGRATE_URL } = postgresSettings;

/** What `rebuild.ts` needs: it works as the role that owns the tables, since the serving role may not empty them. */
export function loadRebuildConfig(env: NodeJS.ProcessEnv) {
  const settings = readEnvironment(Type.Object({ LOG_LEVEL, POSTGRES_MIGRATE_URL, ...topicSettings }), env);
  return {
    logLevel: settings.LOG_LEVEL,
    migrations: { url: settings.POSTGRES_MIGRATE_URL, folder: migrationsFolder },
    events: {
      brokers: settings.KAFKA_BROKERS,
      clientId: 'analytics',
      topic: settings.PAYMENT_EVENTS_TOPIC,
    },
  };
}

/** What `digest.ts` needs. */
export function loadDigestConfig(env: NodeJS.ProcessEnv) {
  const settings = readEnvironment(Type.Object({ LOG_LEVEL, POSTGRES_URL }), env);
  return { logLevel: settings.LOG_LEVEL, postgres: { url: settings.POSTGRES_URL, poolMax: 1 } };
}
