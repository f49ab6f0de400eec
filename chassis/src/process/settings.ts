/** Environment variables that several services read, and the part of a service's Config that each group becomes. */
import { hostname } from 'node:os';
import { Type } from 'typebox';
import { consulConfig, consulSettings } from './connections.ts';
import { ConfigError, type Values } from './environment.ts';
import { keysFrom, keysSetting } from './keys.ts';
import { secretSetting } from './secret-files.ts';

/** 0 picks a free port. */
export const portSetting = (port: number) => Type.Integer({ minimum: 0, maximum: 65_535, default: port });

/** Files with the certificate of the service. Without them, it comes from Consul. */
export const tlsSettings = {
  TLS_CERT_FILE: Type.String({ default: '' }),
  TLS_KEY_FILE: Type.String({ default: '' }),
  TLS_CA_FILE: Type.String({ default: '' }),
};

/** Throws ConfigError if only some of the files are set. */
export function tlsConfig({
  TLS_CERT_FILE: certFile,
  TLS_KEY_FILE: keyFile,
  TLS_CA_FILE: caFile,
  ...others
}: Values<typeof tlsSettings & typeof consulSettings>) {
  const given = [certFile, keyFile, caFile].filter((file) => file !== '').length;
  if (given !== 0 && given !== 3)
    throw new ConfigError([
      'TLS_CERT_FILE, TLS_KEY_FILE and TLS_CA_FILE belong together: set all three or none',
    ]);
  return {
    files: given === 3 ? { certFile, keyFile, caFile } : undefined,
    consul: consulConfig(others),
  };
}

/** Variables of every process, also of the gateway. */
export const metricsSettings = {
  METRICS_HOST: Type.String({ default: '127.0.0.1' }),
  /** 0 turns metrics off. */
  METRICS_PORT: portSetting(0),
};

export function metricsConfig(read: Values<typeof metricsSettings>) {
  return { host: read.METRICS_HOST, port: read.METRICS_PORT };
}

/** Variables of every process, also of the gateway. Their names are OpenTelemetry's. Its exporter reads further ones, such as OTEL_EXPORTER_OTLP_HEADERS. */
export const tracesSettings = {
  /** Empty turns traces off. */
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.String({ default: '' }),
  OTEL_TRACES_SAMPLER_ARG: Type.Number({ minimum: 0, maximum: 1, default: 0.01 }),
};

export function tracesConfig(read: Values<typeof tracesSettings>) {
  return { endpoint: read.OTEL_EXPORTER_OTLP_ENDPOINT, ratio: read.OTEL_TRACES_SAMPLER_ARG };
}

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
  /** The same for all instances of a service. */
  PAGE_TOKEN_KEY: keysSetting(),
  INSTANCE_ID: Type.String({ default: `${hostname()}-${process.pid}` }),
  ...consulSettings,
  ...tlsSettings,
  ...metricsSettings,
  ...tracesSettings,
  FAULTS_DIR: Type.String({ default: '' }),
};

export function serviceConfig(read: Values<typeof serviceSettings>) {
  return {
    logLevel: read.LOG_LEVEL,
    instanceId: read.INSTANCE_ID,
    faultsDir: read.FAULTS_DIR,
    consul: consulConfig(read),
    tls: tlsConfig(read),
    metrics: metricsConfig(read),
    traces: tracesConfig(read),
    grpc: {
      host: read.GRPC_HOST,
      port: read.GRPC_PORT,
      reflection: read.GRPC_REFLECTION,
      pageTokenKey: keysFrom(read.PAGE_TOKEN_KEY),
    },
  };
}

/** The default age of a login from which dangerous actions need a new one. */
export const RECENT_LOGIN_S = 15 * 60;

/** A setting of services with actions that need a recent login. */
export const recentLoginSettings = {
  RECENT_LOGIN_S: Type.Integer({ minimum: 0, default: RECENT_LOGIN_S }),
};

export const postgresSettings = {
  POSTGRES_URL: secretSetting(),
  POSTGRES_POOL_MAX: Type.Integer({ minimum: 1, maximum: 100, default: 8 }),
};

/** The role that owns the database. Only commands of operators get it: migrations, and corrections that services may not make. */
export const ownerSettings = { POSTGRES_MIGRATE_URL: secretSetting() };

/** `migrations` is the folder of the migrations that the service needs. `limits` are the service's own, see PostgresSettings. */
export function postgresConfig(
  read: Values<typeof postgresSettings>,
  migrations: URL,
  limits: { lockTimeoutMs?: number } = {},
) {
  return { postgres: { url: read.POSTGRES_URL, poolMax: read.POSTGRES_POOL_MAX, ...limits }, migrations };
}

/** The gRPC target of auth, whose keys verify the tokens of callers. */
export const identitySettings = { AUTH_TARGET: Type.String({ default: 'consul:///auth' }) };
