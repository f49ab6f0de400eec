/** Notification's configuration. The only reader of the environment. */
import { readFileSync } from 'node:fs';
import {
  ConfigError,
  identitySettings,
  keysFrom,
  keysSetting,
  postgresConfig,
  postgresSettings,
  rabbitConfig,
  rabbitSettings,
  readEnvironment,
  sandboxConfig,
  sandboxSettings,
  secretSetting,
  serviceConfig,
  serviceSettings,
} from '@payflowx/chassis';
import ipaddr from 'ipaddr.js';
import { type Static, Type } from 'typebox';

/**
 * Messages whose rows stay locked for longer are retried outside the batches. The timeout is longer than a batch of another
 * instance, which takes milliseconds.
 */
const LOCK_TIMEOUT_MS = 1_000;

export const schema = Type.Object({
  ...serviceSettings,
  ...postgresSettings,
  ...rabbitSettings,
  ...identitySettings,
  ...sandboxSettings,
  NOTIFICATION_QUEUE: Type.String({ default: 'payment-notifications' }),
  NOTIFICATION_DELIVERY_LIMIT: Type.Integer({ minimum: 1, default: 5 }),
  NOTIFICATION_PREFETCH: Type.Integer({ minimum: 1, maximum: 2_000, default: 100 }),
  IDENTITY_QUEUE: Type.String({ default: 'identity-notifications' }),
  AUTHORIZATION_TARGET: Type.String({ default: 'consul:///authorization' }),
  SMTP_URL: secretSetting({ default: '', pattern: '^(smtps?://.+)?$' }),
  SMTP_STARTTLS: Type.Union([Type.Literal('required'), Type.Literal('if-offered'), Type.Literal('off')], {
    default: 'required',
  }),
  SMTP_CA_FILE: Type.String({ default: '' }),
  SMTP_CONNECTIONS: Type.Integer({ minimum: 1, maximum: 50, default: 2 }),
  MAIL_FROM: Type.String({ default: '', pattern: '^([^\\s@<>]+@[^\\s@<>]+)?$' }),
  MAIL_FROM_NAME: Type.String({ default: 'PayFlowX', maxLength: 100 }),
  MAIL_RETENTION_DAYS: Type.Integer({ minimum: 1, default: 90 }),
  PUBLIC_URL: Type.String({ default: '', pattern: '^(https?://.+)?$' }),
  EVENT_RETENTION_DAYS: Type.Integer({ minimum: 7, maximum: 3_650, default: 30 }),
  /** The same for all instances. Without the key that sealed them, the secrets of all endpoints are unusable. */
  WEBHOOK_SEALING_KEY: keysSetting(),
  WEBHOOK_ALLOW_HTTP: Type.Boolean({ default: false }),
  /** Comma-separated CIDR networks that webhooks may reach although they are not public. */
  WEBHOOK_ALLOWED_NETWORKS: Type.String({ default: '' }),
  /** Comma-separated; `*` for any port. */
  WEBHOOK_PORTS: Type.String({ default: '443,8443', pattern: '^(\\*|\\d{1,5}(,\\d{1,5})*)$' }),
});

const MIGRATIONS = new URL('../migrations/', import.meta.url);

const DAY_MS = 86_400_000;

/** Throws ConfigError with everything that is wrong. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const settings = readEnvironment(schema, env);
  const { NOTIFICATION_DELIVERY_LIMIT: deliveryLimit, NOTIFICATION_PREFETCH: prefetch } = settings;
  const rabbit = rabbitConfig(settings);
  const queueOf = (queue: string) => ({
    ...rabbit,
    ...{ queue, deadLetterQueue: `${queue}.dlq`, deliveryLimit, prefetch },
  });
  return {
    ...serviceConfig(settings),
    ...postgresConfig(settings, MIGRATIONS, { lockTimeoutMs: LOCK_TIMEOUT_MS }),
    authTarget: settings.AUTH_TARGET,
    queue: queueOf(settings.NOTIFICATION_QUEUE),
    identityQueue: queueOf(settings.IDENTITY_QUEUE),
    authorizationTarget: settings.AUTHORIZATION_TARGET,
    mail: mailConfig(settings),
    mailRetentionMs: settings.MAIL_RETENTION_DAYS * DAY_MS,
    eventRetentionMs: settings.EVENT_RETENTION_DAYS * DAY_MS,
    webhooks: {
      sandbox: sandboxConfig(settings),
      sealingKey: keysFrom(settings.WEBHOOK_SEALING_KEY),
      addresses: {
        allowHttp: settings.WEBHOOK_ALLOW_HTTP,
        allowedNetworks: networksOf(settings.WEBHOOK_ALLOWED_NETWORKS),
        ports: settings.WEBHOOK_PORTS === '*' ? undefined : settings.WEBHOOK_PORTS.split(',').map(Number),
      },
    },
  };
}

/** Undefined if no mails are sent. */
function mailConfig(settings: Static<typeof schema>) {
  const { SMTP_URL: url, SMTP_STARTTLS: startTls, MAIL_FROM: address, PUBLIC_URL: publicUrl } = settings;
  if (url === '') return undefined;
  const problems = [
    ...(URL.canParse(url) ? [] : ['SMTP_URL must be a URL']),
    ...(address === '' ? ['MAIL_FROM is missing'] : []),
    ...(publicUrl === '' ? ['PUBLIC_URL is missing'] : []),
    ...(URL.canParse(url) && sendsPasswordInClear(url, startTls)
      ? ['SMTP_STARTTLS must be required, because SMTP_URL has a password']
      : []),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    server: {
      url,
      startTls,
      ca: readOptional(settings.SMTP_CA_FILE),
      connections: settings.SMTP_CONNECTIONS,
      from: { name: settings.MAIL_FROM_NAME, address },
    },
    publicUrl: publicUrl.replace(/\/+$/, ''),
  };
}

function sendsPasswordInClear(url: string, startTls: string): boolean {
  const { protocol, username } = new URL(url);
  return protocol === 'smtp:' && username !== '' && startTls !== 'required';
}

function readOptional(path: string): string | undefined {
  if (path === '') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`SMTP_CA_FILE cannot be read: ${(error as Error).message}`]);
  }
}

function networksOf(text: string): string[] {
  const networks = text.split(',').filter((network) => network !== '');
  const wrong = networks.filter((network) => !ipaddr.isValidCIDR(network));
  if (wrong.length > 0)
    throw new ConfigError([`WEBHOOK_ALLOWED_NETWORKS: ${wrong.join(', ')} is no CIDR network`]);
  return networks;
}
