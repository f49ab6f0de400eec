/** The configuration of auth. The only file that reads the environment. */
import {
  ConfigError,
  KEYS_MAX_AGE_MS,
  keysFrom,
  keysSetting,
  ownerSettings,
  portSetting,
  postgresConfig,
  postgresSettings,
  rabbitConfig,
  rabbitSettings,
  readEnvironment,
  recentLoginSettings,
  serviceConfig,
  serviceSettings,
} from '@payflowx/chassis';
import { Type } from 'typebox';
import type { PasskeyPolicy } from './domain/passkey.ts';
import { USER_ROLES } from './domain/user.ts';

const ROLE = `(${USER_ROLES.join('|')})`;

export const schema = Type.Object({
  ...serviceSettings,
  ...recentLoginSettings,
  GRPC_PORT: portSetting(50_051),
  ...postgresSettings,
  ...rabbitSettings,
  IDENTITY_QUEUE: Type.String({ default: 'identity-notifications' }),
  AUTH_SEALING_KEY: keysSetting(),
  REFRESH_TOKEN_LIFETIME_S: Type.Integer({ minimum: 1, default: 30 * 24 * 60 * 60 }),
  SESSION_LIFETIME_S: Type.Integer({ minimum: 1, default: 90 * 24 * 60 * 60 }),
  SIGNING_KEY_MAX_AGE_S: Type.Integer({ minimum: 3_600, default: 30 * 24 * 60 * 60 }),
  /** At least twice the age at which the chassis' verifiers renew their keys. */
  SIGNING_KEY_ANNOUNCE_S: Type.Integer({ minimum: (2 * KEYS_MAX_AGE_MS) / 1000, default: 15 * 60 }),
  /** The address of the gateway for clients. Several are separated by commas. Empty: no assertions of API clients are accepted. */
  PUBLIC_URL: Type.String({ default: '', pattern: '^(https?://[^,]+(,https?://[^,]+)*)?$' }),
  /** Roles whose users need a second factor, separated by commas. Empty: none. */
  SECOND_FACTOR_ROLES: Type.String({ default: '', pattern: `^(( *${ROLE} *,)* *${ROLE} *)?$` }),
  /** The domain that passkeys are bound to, such as pay.example. Empty: users have no passkeys. */
  PASSKEY_RP_ID: Type.String({ default: '', pattern: '^([a-z0-9-]+(\\.[a-z0-9-]+)*)?$' }),
  /** The pages of the domain that may use passkeys, such as https://pay.example. Several are separated by commas. */
  PASSKEY_ORIGINS: Type.String({ default: '' }),
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
    recentLoginS: read.RECENT_LOGIN_S,
    sealingKey: keysFrom(read.AUTH_SEALING_KEY),
    factorPolicy: USER_ROLES.filter((role) => read.SECOND_FACTOR_ROLES.match(/[a-z]+/g)?.includes(role)),
    passkeys: passkeyPolicy(read.PASSKEY_RP_ID, read.PASSKEY_ORIGINS),
    assertionAudiences: assertionAudiences(read.PUBLIC_URL),
    rotation: {
      maxAgeMs: read.SIGNING_KEY_MAX_AGE_S * 1000,
      announceMs: read.SIGNING_KEY_ANNOUNCE_S * 1000,
    },
    sessions: {
      refreshLifetimeMs: read.REFRESH_TOKEN_LIFETIME_S * 1000,
      sessionLifetimeMs: read.SESSION_LIFETIME_S * 1000,
    },
    identityQueue: { ...rabbitConfig(read), queue: read.IDENTITY_QUEUE },
    hashing: { concurrency: read.PASSWORD_HASH_CONCURRENCY, queueMax: read.PASSWORD_HASH_QUEUE_MAX },
  };
}

/** Clients name the platform or its token endpoint in `aud`: libraries differ. */
function assertionAudiences(publicUrls: string): string[] {
  const urls = publicUrls.split(',').map((url) => url.trim().replace(/\/+$/, ''));
  return urls.filter((url) => url !== '').flatMap((url) => [`${url}/v1/auth/token`, url, `${url}/`]);
}

/** Undefined without passkeys. Throws ConfigError for an origin that no browser lets use passkeys of the domain. */
function passkeyPolicy(rpId: string, texts: string): PasskeyPolicy | undefined {
  const origins = texts
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (rpId === '' && origins.length === 0) return undefined;
  if (rpId === '') throw new ConfigError(['PASSKEY_RP_ID is missing: PASSKEY_ORIGINS is set']);
  if (origins.length === 0) throw new ConfigError(['PASSKEY_ORIGINS is missing: PASSKEY_RP_ID is set']);
  if (/(^|\.)[0-9]+$/.test(rpId)) throw new ConfigError(['PASSKEY_RP_ID must be a domain, not an address']);
  const wrong = origins.filter((origin) => !isOriginOf(rpId, origin));
  if (wrong.length === 0) return { rpId, origins };
  throw new ConfigError(
    wrong.map(
      (origin) =>
        `PASSKEY_ORIGINS must have origins of ${rpId} with https, such as https://${rpId}: ${origin}`,
    ),
  );
}

/** Browsers allow passkeys over plain HTTP on the own machine only, and for the domain and those below it. */
function isOriginOf(rpId: string, text: string): boolean {
  const url = URL.parse(text);
  if (url?.origin !== text) return false;
  const isLocal = url.hostname === 'localhost' || url.hostname.endsWith('.localhost');
  const isSecure = url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
  return isSecure && (url.hostname === rpId || url.hostname.endsWith(`.${rpId}`));
}

/** The part of the configuration that a command with the serving role needs. */
export function loadCommandConfig(env: NodeJS.ProcessEnv) {
  const { LOG_LEVEL, POSTGRES_URL } = schema.properties;
  const read = readEnvironment(Type.Object({ LOG_LEVEL, POSTGRES_URL }), env);
  return {
    logLevel: read.LOG_LEVEL,
    ...postgresConfig({ ...read, POSTGRES_POOL_MAX: 2 }, MIGRATIONS),
  };
}

const administering = Type.Object({ LOG_LEVEL: serviceSettings.LOG_LEVEL, ...ownerSettings });

/** The part of the configuration that the operator's command needs. */
export function loadAdminConfig(env: NodeJS.ProcessEnv) {
  const read = readEnvironment(administering, env);
  return { logLevel: read.LOG_LEVEL, ownerUrl: read.POSTGRES_MIGRATE_URL };
}
