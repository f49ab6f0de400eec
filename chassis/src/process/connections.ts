/** How services reach Consul, Kafka and RabbitMQ: the settings, and the connections that they describe. */
import { Type } from 'typebox';
import { type Authorities, readAuthorities } from './authorities.ts';
import { ConfigError, type Values } from './environment.ts';
import { secretSetting } from './secret-files.ts';

export const consulSettings = {
  /** Empty: no registry. */
  CONSUL_URL: Type.String({ default: '' }),
  /** The authorities that may have signed Consul's certificate, for an https URL. Empty: those that Node trusts. */
  CONSUL_CA_FILE: Type.String({ default: '' }),
  /** Empty: Consul's anonymous token. */
  CONSUL_TOKEN: secretSetting({ default: '' }),
};

/** The connection that `@payflowx/registry` takes. Throws ConfigError for settings that do not fit together. */
export function consulConfig(read: Values<typeof consulSettings>) {
  const { CONSUL_URL: url, CONSUL_CA_FILE: caFile, CONSUL_TOKEN: token } = read;
  if (caFile && !url.startsWith('https:'))
    throw new ConfigError(['CONSUL_CA_FILE needs an https URL in CONSUL_URL']);
  // Not a copy: `ca` changes.
  return Object.assign(readAuthorities('CONSUL_CA_FILE', caFile), { url, ...(token && { token }) });
}

export interface KafkaConnection {
  /** host:port of each. */
  brokers: readonly string[];
  /** Absent: plaintext. */
  tls?: Authorities;
  /** Login by SCRAM-SHA-512. */
  login?: { username: string; password: string };
}

export interface RabbitConnection {
  /** amqps://user:password@host:port/vhost, or amqp without TLS. */
  url: string;
  /** For an amqps URL. */
  tls?: Authorities;
}

export const kafkaSettings = {
  /** Comma-separated host:port. */
  KAFKA_BROKERS: Type.String({ minLength: 1 }),
  KAFKA_TLS: Type.Boolean({ default: false }),
  /** The authorities that may have signed the broker's certificate. Empty: those that Node trusts. */
  KAFKA_CA_FILE: Type.String({ default: '' }),
  /** Login by SCRAM-SHA-512. Empty: none. */
  KAFKA_USERNAME: Type.String({ default: '' }),
  KAFKA_PASSWORD: secretSetting({ default: '' }),
};

/** Throws ConfigError for settings that do not fit together. */
export function kafkaConfig(read: Values<typeof kafkaSettings>): KafkaConnection {
  const {
    KAFKA_TLS: hasTls,
    KAFKA_CA_FILE: caFile,
    KAFKA_USERNAME: username,
    KAFKA_PASSWORD: password,
  } = read;
  if (caFile && !hasTls) throw new ConfigError(['KAFKA_CA_FILE needs KAFKA_TLS=true']);
  if (!username !== !password) throw new ConfigError(['KAFKA_USERNAME and KAFKA_PASSWORD need each other']);
  return {
    brokers: read.KAFKA_BROKERS.split(','),
    ...(hasTls && { tls: readAuthorities('KAFKA_CA_FILE', caFile) }),
    ...(username && { login: { username, password } }),
  };
}

export const rabbitSettings = {
  RABBITMQ_URL: secretSetting(),
  /** The authorities that may have signed the broker's certificate, for an amqps URL. Empty: those that Node trusts. */
  RABBITMQ_CA_FILE: Type.String({ default: '' }),
};

/** Throws ConfigError for settings that do not fit together. */
export function rabbitConfig(read: Values<typeof rabbitSettings>): RabbitConnection {
  const { RABBITMQ_URL: url, RABBITMQ_CA_FILE: caFile } = read;
  const hasTls = url.startsWith('amqps:');
  if (caFile && !hasTls) throw new ConfigError(['RABBITMQ_CA_FILE needs an amqps URL in RABBITMQ_URL']);
  return { url, ...(hasTls && { tls: readAuthorities('RABBITMQ_CA_FILE', caFile) }) };
}
