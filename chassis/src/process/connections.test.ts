import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { Type } from 'typebox';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  consulConfig,
  consulSettings,
  kafkaConfig,
  kafkaSettings,
  rabbitConfig,
  rabbitSettings,
} from './connections.ts';
import { readEnvironment } from './environment.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'connections-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const ca = rootCertificates[0] ?? '';

function fileWith(content: string): string {
  const path = join(folder, 'ca.pem');
  writeFileSync(path, content);
  return path;
}

type Env = Record<string, string>;
const kafka = (env: Env) =>
  kafkaConfig(readEnvironment(Type.Object(kafkaSettings), { KAFKA_BROKERS: 'a:1,b:2', ...env }));
const rabbit = (env: Env) => rabbitConfig(readEnvironment(Type.Object(rabbitSettings), env));
const consul = (env: Env) => consulConfig(readEnvironment(Type.Object(consulSettings), env));

it('is plaintext without further settings', () => {
  expect(kafka({})).toEqual({ brokers: ['a:1', 'b:2'] });
  expect(rabbit({ RABBITMQ_URL: 'amqp://x' })).toEqual({ url: 'amqp://x' });
  expect(consul({ CONSUL_URL: 'http://x' })).toEqual({ url: 'http://x' });
  expect(consul({})).toEqual({ url: '' });
});

it('has the authority and the login that are set, or the authorities that Node trusts', () => {
  const path = fileWith(ca);
  const login = { username: 'payment', password: 'p' };
  const env = { KAFKA_TLS: 'true', KAFKA_CA_FILE: path, KAFKA_USERNAME: 'payment', KAFKA_PASSWORD: 'p' };
  expect(kafka(env)).toEqual({ brokers: ['a:1', 'b:2'], tls: { ca }, login });
  expect(kafka({ KAFKA_TLS: 'true' }).tls).toEqual({});
  expect(rabbit({ RABBITMQ_URL: 'amqps://x', RABBITMQ_CA_FILE: path }).tls).toEqual({ ca });
  expect(rabbit({ RABBITMQ_URL: 'amqps://x' }).tls).toEqual({});
  const https = { CONSUL_URL: 'https://x', CONSUL_CA_FILE: path, CONSUL_TOKEN: 't' };
  expect(consul(https)).toEqual({ url: 'https://x', ca, token: 't' });
});

it('refuses an authority for a connection in plaintext, and half a login', () => {
  const path = fileWith(ca);
  expect(() => kafka({ KAFKA_CA_FILE: path })).toThrow('KAFKA_CA_FILE needs KAFKA_TLS=true');
  expect(() => rabbit({ RABBITMQ_URL: 'amqp://x', RABBITMQ_CA_FILE: path })).toThrow('needs an amqps URL');
  expect(() => consul({ CONSUL_URL: 'http://x', CONSUL_CA_FILE: path })).toThrow('needs an https URL');
  expect(() => kafka({ KAFKA_USERNAME: 'payment' })).toThrow('need each other');
  expect(() => kafka({ KAFKA_PASSWORD: 'p' })).toThrow('need each other');
});

it('names a file that has no certificates', () => {
  const env = (path: string) => ({ KAFKA_TLS: 'true', KAFKA_CA_FILE: path });
  expect(() => kafka(env(fileWith('nothing')))).toThrow(
    /KAFKA_CA_FILE .* is no file with certificates in PEM/,
  );
  expect(() => kafka(env(join(folder, 'none')))).toThrow(/ENOENT/);
});
