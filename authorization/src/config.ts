/** The configuration of authorization. The only file that reads the environment. */
import {
  identityConfig,
  identitySettings,
  portSetting,
  postgresConfig,
  postgresSettings,
  readEnvironment,
  serviceConfig,
  serviceSettings,
} from '@payflowx/chassis';
import { Type } from 'typebox';

export const schema = Type.Object({
  ...serviceSettings,
  ...postgresSettings,
  ...identitySettings,
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
    identity: identityConfig(values),
    simulationsPerMinute: values.SIMULATIONS_PER_MINUTE,
    holdTtlMs: values.HOLD_TTL_S * 1000,
    batches: { maxSize: values.BATCH_SIZE, concurrency: values.BATCHES_IN_FLIGHT },
  };
}
