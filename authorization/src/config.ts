/** The configuration of authorization. The only file that reads the environment. */
import {
  identitySettings,
  ownerSettings,
  portSetting,
  postgresConfig,
  postgresSettings,
  readEnvironment,
  recentLoginSettings,
  sandboxConfig,
  sandboxSettings,
  serviceConfig,
  serviceSettings,
} from '@payflowx/chassis';
import { Type } from 'typebox';

export const schema = Type.Object({
  ...serviceSettings,
  ...postgresSettings,
  ...identitySettings,
  ...recentLoginSettings,
  ...sandboxSettings,
  GRPC_PORT: portSetting(50_052),
  /** Seconds that a hold lasts if the payment does not set its end. Seven days. */
  HOLD_TTL_S: Type.Integer({ minimum: 1, default: 604_800 }),
  /** Simulations are free, so they are limited for each caller. */
  SIMULATIONS_PER_MINUTE: Type.Integer({ minimum: 1, maximum: 100_000, default: 600 }),
  BATCH_SIZE: Type.Integer({ minimum: 1, maximum: 500, default: 200 }),
  BATCHES_IN_FLIGHT: Type.Integer({ minimum: 1, maximum: 500, default: 1 }),
});

const MIGRATIONS = new URL('../migrations/', import.meta.url);

/** Throws ConfigError with all problems. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const values = readEnvironment(schema, env);
  return {
    ...serviceConfig(values),
    ...postgresConfig(values, MIGRATIONS),
    authTarget: values.AUTH_TARGET,
    recentLoginS: values.RECENT_LOGIN_S,
    sandbox: sandboxConfig(values),
    simulationsPerMinute: values.SIMULATIONS_PER_MINUTE,
    holdTtlMs: values.HOLD_TTL_S * 1000,
    batches: { maxSize: values.BATCH_SIZE, concurrency: values.BATCHES_IN_FLIGHT },
  };
}

/** The settings of `restore.ts`. It connects as the owner of the database, because it locks tables and writes where the service may not. */
export function loadRestoreConfig(env: NodeJS.ProcessEnv) {
  const { LOG_LEVEL } = schema.properties;
  const read = readEnvironment(Type.Object({ LOG_LEVEL, ...ownerSettings }), env);
  return { logLevel: read.LOG_LEVEL, ownerUrl: read.POSTGRES_MIGRATE_URL, migrations: MIGRATIONS };
}
