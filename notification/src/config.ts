/** The only reader of the environment. */
import {
  identitySettings,
  postgresSettings,
  rabbitSettings,
  readEnvironment,
  serviceSettings,
} from '@payflowx/chassis';
import { Type } from 'typebox';

/** Messages whose rows stay locked for longer are set aside. Another instance's batch, which takes milliseconds, is waited for. */
const LOCK_TIMEOUT_MS = 1_000;

const schema = Type.Object({
  ...serviceSettings,
  ...postgresSettings,
  ...rabbitSettings,
  ...identitySettings,
  NOTIFICATION_QUEUE: Type.String({ default: 'payment-notifications' }),
  NOTIFICATION_DELIVERY_LIMIT: Type.Integer({ minimum: 1, default: 5 }),
  NOTIFICATION_PREFETCH: Type.Integer({ minimum: 1, maximum: 2_000, default: 100 }),
});

export type Config = ReturnType<typeof loadConfig>;

/** Throws ConfigError with everything that is wrong. */
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
    migrations: { url: settings.POSTGRES_MIGRATE_URL, folder: new URL('../migrations/', import.meta.url) },
    identity: {
      target: settings.AUTH_TARGET,
      clientId: settings.SERVICE_CLIENT_ID,
      clientSecret: settings.SERVICE_CLIENT_SECRET,
    },
    queue: {
      url: settings.RABBITMQ_URL,
      queue: settings.NOTIFICATION_QUEUE,
      deadLetterQueue: `${settings.NOTIFICATION_QUEUE}.dlq`,
      deliveryLimit: settings.NOTIFICATION_DELIVERY_LIMIT,
      prefetch: settings.NOTIFICATION_PREFETCH,
    },
  };
}
