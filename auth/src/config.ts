/** The configuration of auth. The only file that reads the environment. */
import {
  KEYS_MAX_AGE_MS,
  ownerSettings,
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
  GRPC_PORT: portSetting(50_051),
  ...postgresSettings,
  /** 32 bytes in base64. */
  AUTH_SEALING_KEY: Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$' }),
  REFRESH_TOKEN_LIFETIME_S: Type.Integer({ minimum: 1, default: 30 * 24 * 60 * 60 }),
  SESSION_LIFETIME_S: Type.Integer({ minimum: 1, default: 90 * 24 * 60 * 60 }),
  SIGNING_KEY_MAX_AGE_S: Type.Integer({ minimum: 3_600, default: 30 * 24 * 60 * 60 }),
  /** At least twice the age at which the chassis' verifiers renew their keys. */
  SIGNING_KEY_ANNOUNCE_S: Type.Integer({ minimum: (2 * KEYS_MAX_AGE_MS) / 1000, default: 15 * 60 }),
  PASSWORD_HASH_CONCURRENCY: Type.Integer({ minimum: 1, maximum: 64, default: 2 }),
  PASSWORD_HASH_QUEUE_MAX: Type.Integer({ minimum: 0, maximum: 10_000, default: 50 }),
});

const MIGRATIONS = new URL('../migrations/', import.meta.url);

/** The configuration of the service. Throws ConfigError with all problems. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const read = readEnvironment(schema, env);
  return {
    ...serviceConfig(read),
    ...postgresConfig(read, MIGRATIONS),
    sealingKey: Buffer.from(read.AUTH_SEALING_KEY, 'base64'),
    rotation: {
      maxAgeMs: read.SIGNING_KEY_MAX_AGE_S * 1000,
      announceMs: read.SIGNING_KEY_ANNOUNCE_S * 1000,
    },
    sessions: {
      refreshLifetimeMs: read.REFRESH_TOKEN_LIFETIME_S * 1000,
      sessionLifetimeMs: read.SESSION_LIFETIME_S * 1000,
    },
    hashing: { concurrency: read.PASSWORD_HASH_CONCURRENCY, queueMax: read.PASSWORD_HASH_QUEUE_MAX },
  };
}

const administering = Type.Object({ LOG_LEVEL: serviceSettings.LOG_LEVEL, ...ownerSettings });

/** The part of the configuration that the operator's command needs. */
export function loadAdminConfig(env: NodeJS.ProcessEnv) {
  const read = readEnvironment(administering, env);
  return { logLevel: read.LOG_LEVEL, ownerUrl: read.POSTGRES_MIGRATE_URL };
}
