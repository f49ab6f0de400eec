/** Environment variables that several services read, and the part of a service's Config that each group becomes. */
import { hostname } from 'node:os';
import { type Static, type TObject, type TProperties, Type } from 'typebox';

type Values<P extends TProperties> = Static<TObject<P>>;

/** 0 picks a free port. */
export const portSetting = (port: number) => Type.Integer({ minimum: 0, maximum: 65_535, default: port });

/** Variables of every service. */
export const serviceSettings = {
  LOG_LEVEL: Type.Union(
    [
      Type.Literal('fatal'),
      Type.Literal('error'),
      Type.Literal('warn'),
      Type.Literal('info'),
      Type.Literal('debug'),
      Type.Literal('silent'),
    ],
    { default: 'info' },
  ),
  GRPC_HOST: Type.String({ default: '127.0.0.1' }),
  GRPC_PORT: portSetting(0),
  GRPC_REFLECTION: Type.Boolean({ default: false }),
  /** 32 bytes in base64, the same for all instances of a service. A new key makes all page tokens invalid. */
  PAGE_TOKEN_KEY: Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$' }),
  INSTANCE_ID: Type.String({ default: `${hostname()}-${process.pid}` }),
  CONSUL_URL: Type.String({ default: '' }),
  FAULTS_DIR: Type.String({ default: '' }),
};

export function serviceConfig(read: Values<typeof serviceSettings>) {
  return {
    logLevel: read.LOG_LEVEL,
    instanceId: read.INSTANCE_ID,
    faultsDir: read.FAULTS_DIR,
    consulUrl: read.CONSUL_URL,
    grpc: {
      host: read.GRPC_HOST,
      port: read.GRPC_PORT,
      reflection: read.GRPC_REFLECTION,
      pageTokenKey: Buffer.from(read.PAGE_TOKEN_KEY, 'base64'),
    },
  };
}

export const postgresSettings = {
  POSTGRES_URL: Type.String({ minLength: 1 }),
  POSTGRES_POOL_MAX: Type.Integer({ minimum: 1, maximum: 100, default: 8 }),
};

/** The role that owns the database. Only commands of operators get it: migrations, and corrections that services may not make. */
export const ownerSettings = { POSTGRES_MIGRATE_URL: Type.String({ minLength: 1 }) };

/** `migrations` is the folder of the migrations that the service needs. `limits` are the service's own, see PostgresSettings. */
export function postgresConfig(
  read: Values<typeof postgresSettings>,
  migrations: URL,
  limits: { lockTimeoutMs?: number } = {},
) {
  return { postgres: { url: read.POSTGRES_URL, poolMax: read.POSTGRES_POOL_MAX, ...limits }, migrations };
}

/** Comma-separated host:port. */
export const kafkaSettings = { KAFKA_BROKERS: Type.String({ minLength: 1 }) };

export const rabbitSettings = { RABBITMQ_URL: Type.String({ minLength: 1 }) };

/** Settings to verify callers and to log in to auth. */
export const identitySettings = {
  AUTH_TARGET: Type.String({ default: 'consul:///auth' }),
  SERVICE_CLIENT_ID: Type.String({ minLength: 1 }),
  SERVICE_CLIENT_SECRET: Type.String({ minLength: 1 }),
};

export function identityConfig(read: Values<typeof identitySettings>) {
  return {
    target: read.AUTH_TARGET,
    clientId: read.SERVICE_CLIENT_ID,
    clientSecret: read.SERVICE_CLIENT_SECRET,
  };
}
