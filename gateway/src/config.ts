/** The configuration of the gateway. The only reader of process.env. */
import { getHeapStatistics } from 'node:v8';
import {
  ConfigError,
  consulConfig,
  consulSettings,
  identitySettings,
  metricsConfig,
  metricsSettings,
  portSetting,
  readEnvironment,
  sandboxConfig,
  sandboxSettings,
  serviceSettings,
  tlsConfig,
  tlsSettings,
  tracesConfig,
  tracesSettings,
} from '@payflowx/chassis';
import { Type } from 'typebox';
import { MAX_DEADLINE_MS } from './http/deadline.ts';

const { LOG_LEVEL, INSTANCE_ID } = serviceSettings;

/** Above this share of V8's heap limit, garbage collection takes the time that responses need. */
const HEAP_SHARE = 0.85;
const HEAP_LIMIT = Math.floor(getHeapStatistics().heap_size_limit * HEAP_SHARE);

export const schema = Type.Object({
  LOG_LEVEL,
  INSTANCE_ID,
  ...consulSettings,
  ...tlsSettings,
  ...identitySettings,
  ...sandboxSettings,
  ...metricsSettings,
  ...tracesSettings,
  HTTP_HOST: Type.String({ default: '127.0.0.1' }),
  HTTP_PORT: portSetting(8080),
  HTTP_LISTEN_FD: Type.Optional(Type.Integer({ minimum: 0 })),
  HTTPS_CERT_FILE: Type.String({ default: '' }),
  HTTPS_KEY_FILE: Type.String({ default: '' }),
  ADVERTISED_HOST: Type.String({ default: '' }),
  CONSOLE_DIR: Type.String({ default: '' }),
  PAYMENT_TARGET: Type.String({ default: 'consul:///payment' }),
  AUTHORIZATION_TARGET: Type.String({ default: 'consul:///authorization' }),
  LEDGER_TARGET: Type.String({ default: 'consul:///ledger' }),
  NOTIFICATION_TARGET: Type.String({ default: 'consul:///notification' }),
  ANALYTICS_TARGET: Type.String({ default: 'consul:///analytics' }),
  MAX_CONNECTIONS: Type.Integer({ minimum: 1, default: 4_096 }),
  TRUST_PROXY: Type.String({ default: '' }),
  ALLOWED_ORIGINS: Type.String({ default: '' }),
  REQUESTS_PER_MINUTE: Type.Integer({ minimum: 1, default: 6_000 }),
  LOGINS_PER_MINUTE: Type.Integer({ minimum: 1, default: 60 }),
  REFRESHES_PER_MINUTE: Type.Integer({ minimum: 1, default: 30 }),
  MAX_EVENT_LOOP_DELAY_MS: Type.Integer({ minimum: 0, default: 1_000 }),
  MAX_HEAP_BYTES: Type.Integer({ minimum: 0, default: HEAP_LIMIT }),
  MAX_RSS_BYTES: Type.Integer({ minimum: 0, default: 1_500_000_000 }),
  SLOW_REQUEST_MS: Type.Integer({ minimum: 1, default: 1_000 }),
  PAYMENT_BATCH_SIZE: Type.Integer({ minimum: 1, maximum: 500, default: 200 }),
  PAYMENT_BATCHES_IN_FLIGHT: Type.Integer({ minimum: 1, default: 4 }),
  PAYMENT_BATCH_PACE_MS: Type.Integer({ minimum: 0, maximum: 1_000, default: 45 }),
  REQUEST_DEADLINE_MS: Type.Integer({ minimum: 100, maximum: MAX_DEADLINE_MS, default: MAX_DEADLINE_MS }),
});

export type Config = ReturnType<typeof loadConfig>;

/** Throws a ConfigError that lists all mistakes. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const values = readEnvironment(schema, env);
  return {
    service: {
      logLevel: values.LOG_LEVEL,
      instanceId: values.INSTANCE_ID,
      metrics: metricsConfig(values),
      traces: tracesConfig(values),
    },
    consul: consulConfig(values),
    tls: tlsConfig(values),
    targets: {
      auth: values.AUTH_TARGET,
      payment: values.PAYMENT_TARGET,
      authorization: values.AUTHORIZATION_TARGET,
      ledger: values.LEDGER_TARGET,
      notification: values.NOTIFICATION_TARGET,
      analytics: values.ANALYTICS_TARGET,
    },
    http: {
      host: values.HTTP_HOST,
      port: values.HTTP_PORT,
      /** File descriptor of a listening socket, inherited from a supervisor. It replaces host and port. */
      listenFd: values.HTTP_LISTEN_FD,
      /** Files with the certificate for clients. Undefined: plain HTTP. */
      https: httpsFiles(values.HTTPS_CERT_FILE, values.HTTPS_KEY_FILE),
      /** Folder with the built files of the console. Empty: no console. */
      consoleDir: values.CONSOLE_DIR,
      advertisedHost: values.ADVERTISED_HOST || values.HTTP_HOST,
      maxConnections: values.MAX_CONNECTIONS,
      trustedProxies: list(values.TRUST_PROXY),
      slowMs: values.SLOW_REQUEST_MS,
      deadlineMs: values.REQUEST_DEADLINE_MS,
    },
    /** True if the sandbox is on. */
    sandbox: sandboxConfig(values),
    protection: {
      allowedOrigins: list(values.ALLOWED_ORIGINS),
      requestsPerMinute: values.REQUESTS_PER_MINUTE,
      loginsPerMinute: values.LOGINS_PER_MINUTE,
      refreshesPerMinute: values.REFRESHES_PER_MINUTE,
      pressure: {
        eventLoopDelayMs: values.MAX_EVENT_LOOP_DELAY_MS,
        heapBytes: values.MAX_HEAP_BYTES,
        rssBytes: values.MAX_RSS_BYTES,
      },
    },
    batches: {
      maxSize: values.PAYMENT_BATCH_SIZE,
      concurrency: values.PAYMENT_BATCHES_IN_FLIGHT,
      paceMs: values.PAYMENT_BATCH_PACE_MS,
    },
  };
}

/** Throws a ConfigError if only one of the two is set. */
function httpsFiles(certFile: string, keyFile: string): { certFile: string; keyFile: string } | undefined {
  if (certFile === '' && keyFile === '') return undefined;
  if (certFile === '' || keyFile === '')
    throw new ConfigError(['HTTPS_CERT_FILE and HTTPS_KEY_FILE need each other']);
  return { certFile, keyFile };
}

function list(commaSeparated: string): string[] {
  return commaSeparated.split(',').flatMap((item) => item.trim() || []);
}
