/** Notification's configuration. The only reader of the environment. */
import {
  identityConfig,
  identitySettings,
  postgresConfig,
  postgresSettings,
  rabbitSettings,
  readEnvironment,
  serviceConfig,
  serviceSettings,
} from '@payflowx/chassis';
import { Type } from 'typebox';

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
  NOTIFICATION_QUEUE: Type.String({ default: 'payment-notifications' }),
  NOTIFICATION_DELIVERY_LIMIT: Type.Integer({ minimum: 1, default: 5 }),
  NOTIFICATION_PREFETCH: Type.Integer({ minimum: 1, maximum: 2_000, default: 100 }),
});

export type Config = ReturnType<typeof loadConfig>;

const MIGRATIONS = new URL('../migrations/', import.meta.url);

/** Throws ConfigError with everything that is wrong. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const settings = readEnvironment(schema, env);
  return {
    ...serviceConfig(settings),
    ...postgresConfig(settings, MIGRATIONS, { lockTimeoutMs: LOCK_TIMEOUT_MS }),
    identity: identityConfig(settings),
    queue: {
      url: settings.RABBITMQ_URL,
      queue: settings.NOTIFICATION_QUEUE,
      deadLetterQueue: `${settings.NOTIFICATION_QUEUE}.dlq`,
      deliveryLimit: settings.NOTIFICATION_DELIVERY_LIMIT,
      prefetch: settings.NOTIFICATION_PREFETCH,
    },
  };
}
