/** Walks every secret setting of every service: it can be read from a file, and nothing else is as good as a secret. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownerSettings, readEnvironment, secretNames } from '@payflowx/chassis';
import { type TObject, Type } from 'typebox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from './paths.ts';
import { SERVICE_NAMES } from './services.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');

/** A value for each secret setting. A new one needs a line here. */
const SECRETS: Readonly<Record<string, string>> = {
  AUTH_SEALING_KEY: KEY,
  CONSUL_TOKEN: '1f2e3d4c-0000-4000-8000-secretsecret',
  KAFKA_PASSWORD: 'kafka-secret',
  PAGE_TOKEN_KEY: KEY,
  POSTGRES_MIGRATE_URL: 'postgres://owner:owner-secret@db/x',
  POSTGRES_URL: 'postgres://user:user-secret@db/x',
  RABBITMQ_URL: 'amqp://user:rabbit-secret@rabbit/x',
  SMTP_URL: 'smtp://user:smtp-secret@mail',
  WEBHOOK_SEALING_KEY: KEY,
};

/** Settings that are required or belong to a secret. */
const OTHERS = {
  KAFKA_BROKERS: 'kafka:9092',
  KAFKA_USERNAME: 'user',
  CONSUL_URL: 'http://consul:8500',
  PUBLIC_URL: 'https://payflowx.example',
  MAIL_FROM: 'no-reply@payflowx.example',
};

/** Their names end like those of secrets. */
const NO_SECRETS = ['CONSUL_URL', 'PUBLIC_URL'];

interface Configuration {
  name: string;
  schema: TObject;
  load(env: Record<string, string>): unknown;
}

const services: Configuration[] = await Promise.all(
  SERVICE_NAMES.map(async (name) => {
    const { schema, loadConfig } = await import(join(root, name, 'src/config.ts'));
    return { name, schema, load: loadConfig };
  }),
);
const owner = Type.Object(ownerSettings);
const all: Configuration[] = [
  ...services,
  { name: 'the commands of operators', schema: owner, load: (env) => readEnvironment(owner, env) },
];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secret-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileWith(content: string, mode = 0o600): string {
  const path = join(folder, 'secret');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

describe.each(all)('$name', ({ schema, load }) => {
  const names = secretNames(schema);
  const secrets = Object.fromEntries(names.map((name) => [name, SECRETS[name] ?? '']));
  const env = { ...OTHERS, ...secrets };

  it('has a secret setting, and for each a value in this test', () => {
    expect(names).not.toEqual([]);
    expect(names.filter((name) => !SECRETS[name])).toEqual([]);
  });

  it.each(names)('%s can be in a file, and means the same there', (name) => {
    const { [name]: value = '', ...others } = env as Record<string, string>;
    const given = load(env);
    expect(load({ ...others, [`${name}_FILE`]: fileWith(`${value}\n`) })).toEqual(given);
  });

  it.each(names)(
    '%s is refused in a file that others can read, and in two places, without telling it',
    (name) => {
      const { [name]: value = '', ...others } = env as Record<string, string>;
      for (const attempt of [
        () => load({ ...others, [`${name}_FILE`]: fileWith(value, 0o644) }),
        () => load({ ...env, [`${name}_FILE`]: fileWith(value) }),
      ]) {
        expect(attempt).toThrow(`${name}_FILE`);
        expect(attempt).not.toThrow(value);
      }
    },
  );

  it('has no other setting that looks like a secret', () => {
    const suspicious = Object.keys(schema.properties).filter((name) =>
      /(KEY|PASSWORD|SECRET|TOKEN|URL)$/.test(name),
    );
    expect(suspicious.filter((name) => !names.includes(name) && !NO_SECRETS.includes(name))).toEqual([]);
  });
});
