/** What the service can be told, and the only place that reads the environment. */
import { identitySettings, postgresSettings, readEnvironment, serviceSettings } from '@payflowx/chassis';
import { Type } from 'typebox';

export const schema = Type.Object({
  ...serviceSettings,
  ...postgresSettings,
  ...identitySettings,
  GRPC_PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 50_052 }),
  /** How long money is held where a payment does not say; seconds. Seven days. */
  HOLD_TTL_S: Type.Integer({ minimum: 1, default: 604_800 }),
  BATCH_SIZE: Type.Integer({ minimum: 1, maximum: 500, default: 200 }),
  BATCHES_IN_FLIGHT: Type.Integer({ minimum: 1, maximum: 500, default: 1 }),
});

/** Throws ConfigError with everything that is wrong. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const values = readEnvironment(schema, env);
  return {
    logLevel: values.LOG_LEVEL,
    instanceId: values.INSTANCE_ID,
    grpc: { host: values.GRPC_HOST, port: values.GRPC_PORT, reflection: values.GRPC_REFLECTION },
    consulUrl: values.CONSUL_URL,
    faultsDir: values.FAULTS_DIR,
    database: { url: values.POSTGRES_URL, poolMax: values.POSTGRES_POOL_MAX },
    migrateUrl: values.POSTGRES_MIGRATE_URL,
    identity: {
      target: values.AUTH_TARGET,
      clientId: values.SERVICE_CLIENT_ID,
      clientSecret: values.SERVICE_CLIENT_SECRET,
    },
    holdTtlMs: values.HOLD_TTL_S * 1000,
    batches: { maxSize: values.BATCH_SIZE, concurrency: values.BATCHES_IN_FLIGHT },
  };
}
