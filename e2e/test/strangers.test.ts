/**
 * A local program without any credentials tries every port of the platform. `make up` runs on machines with other accounts, so loopback
 * is no wall. A port that is not in the table fails the test.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectPlainly, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import amqp from 'amqplib';
import { describe, expect, it } from 'vitest';
import * as consul from '../src/reach/consul.ts';
import * as kafka from '../src/reach/kafka.ts';
import { type Listener, listeners } from '../src/reach/listeners.ts';
import * as postgres from '../src/reach/postgres.ts';
import { REGISTERED_NAMES, SERVICES } from '../src/reach/table.ts';

const OFFSET = Number(process.env.PAYFLOWX_PORT_OFFSET ?? 0);
const ca = readFileSync(new URL('../../.local/tls/ca.pem', import.meta.url), 'utf8');
const at = (port: number) => ({ host: '127.0.0.1', port: port + OFFSET });
const address = (port: number) => `127.0.0.1:${port + OFFSET}`;

/** The default ports of each process, and what a stranger finds there. Services that run twice have a second port for each. */
const PORTS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  postgres: { 5432: 'TLS, passwords' },
  kafka: { 9092: 'TLS, passwords', 9093: 'TLS, certificates', 9094: 'TLS, certificates' },
  rabbitmq: { 5672: 'TLS, passwords', 25672: 'a cookie' },
  epmd: { 4370: 'the number of the port above' },
  consul: { 8500: 'TLS, tokens', 8510: 'TLS, certificates', 8511: 'a key of the gossip' },
  mail: { 1025: 'takes mails', 1080: 'shows the mails of the demo, which go nowhere' },
  gateway: { 8080: 'the public API', 8081: 'the public API', 9180: 'figures', 9190: 'figures' },
  ...Object.fromEntries(
    ['auth', 'authorization', 'payment', 'ledger', 'notification', 'analytics'].map((service, index) => {
      const [port, metrics] = [50_051 + index, 9_151 + index];
      const figures = { [metrics]: 'figures', [metrics + 10]: 'figures' };
      return [service, { [port]: 'TLS, access tables', [port - 30_000]: 'TLS, access tables', ...figures }];
    }),
  ),
  prometheus: { 9090: 'figures' },
  'node-exporter': { 9100: 'figures' },
};

it('every process listens on loopback only, and on the ports of the table', async () => {
  const found = await listeners();
  const isLocal = ({ address }: Listener) => address === '127.0.0.1' || address === '::1';
  expect(found.filter((listener) => !isLocal(listener))).toEqual([]);
  const ownerOf = (name: string) => name.replace(/(-2)?(-socket)?$/, '');
  const unknown = found.filter(({ process, port }) => !PORTS[ownerOf(process)]?.[port - OFFSET]);
  expect(unknown).toEqual([]);
  const processes = new Set(found.map(({ process }) => ownerOf(process)));
  expect([...processes]).toEqual(
    expect.arrayContaining(['postgres', 'kafka', 'rabbitmq', 'consul', ...SERVICES]),
  );
});

describe('PostgreSQL', () => {
  const users = ['postgres', 'payflowx_payment', 'payflowx_payment_migrator'];
  it.each(users)('refuses %s without a password, with a guess, and without TLS', async (user) => {
    const file = new URL('../../.local/tls/ca.pem', import.meta.url).pathname;
    const tls = `sslmode=verify-full&sslrootcert=${file}`;
    for (const [password, options] of [
      ['', tls],
      ['postgres', tls],
      ['', 'sslmode=disable'],
    ]) {
      const client = await postgres.connect(
        `postgres://${user}:${password}@${address(5432)}/postgres?${options}`,
      );
      await client?.end();
      expect(client, options).toBeUndefined();
    }
  });
});

describe('Kafka', () => {
  const sasl = { mechanism: 'scram-sha-512', username: 'payflowx_payment', password: 'payment' } as const;
  it.each([
    ['clients in plaintext', 9092, {}],
    ['clients without a login', 9092, { ssl: { ca } }],
    ['clients with a guessed password', 9092, { ssl: { ca }, sasl }],
    ['brokers in plaintext', 9094, {}],
    ['brokers without a certificate', 9094, { ssl: { ca } }],
    ['controllers in plaintext', 9093, {}],
    ['controllers without a certificate', 9093, { ssl: { ca } }],
  ])('refuses %s', async (_, port, config) => {
    const client = kafka.client({ ...config, brokers: [address(port)] });
    await expect(kafka.withAdmin(client, (admin) => admin.listTopics())).rejects.toThrow();
  });
});

describe('RabbitMQ', () => {
  it.each([
    ['clients in plaintext', 'amqp', 'guest:guest'],
    ['the usual guest', 'amqps', 'guest:guest'],
    ['the administrator with a guessed password', 'amqps', 'payflowx:payflowx'],
  ])('refuses %s', async (_, protocol, login) => {
    await expect(
      amqp.connect(`${protocol}://${login}@${address(5672)}/payflowx`, { ca, timeout: 5_000 }),
    ).rejects.toThrow();
  });

  it('refuses a node without its cookie', async () => {
    const home = mkdtempSync(join(tmpdir(), 'stranger-'));
    const env = { ...process.env, HOME: home, ERL_EPMD_PORT: String(at(4370).port) };
    const command = ['-n', 'payflowx@localhost', '--erlang-cookie', 'GUESSED', 'status'];
    const asked = promisify(execFile)('/usr/lib/rabbitmq/bin/rabbitmqctl', command, { env });
    await expect(asked).rejects.toThrow(/unable to perform an operation|authentication|cookie/i);
    rmSync(home, { recursive: true });
  });
});

describe('Consul', () => {
  const stranger = { url: `https://${address(8500)}`, ca };
  it.each([
    ['without a token', undefined],
    ['with a guessed token', '00000000-0000-0000-0000-000000000002'],
  ])('lets a client %s do nothing, and shows it no instance', async (_, token) => {
    const client = { ...stranger, token };
    expect(await consul.permittedActs(client)).toEqual([]);
    for (const name of Object.keys(REGISTERED_NAMES)) {
      expect(await consul.mayRegister(client, name)).toBe(false);
      expect(await consul.mayGetCertificate(client, name)).toBe(false);
      const { status, body } = await consul.ask(client, 'GET', `/v1/health/service/${name}`);
      expect(status === 403 || body === '[]', `${name} ${status} ${body}`).toBe(true);
    }
  });

  /** The first byte of a connection to a server names its use: 0 is a request in plaintext, 3 is TLS. */
  it('gives no answer to a request in plaintext on the port of servers', async () => {
    const request = Buffer.from([0, ...Buffer.from('Status.Ping')]);
    expect(await answerTo(connectPlainly(at(8510)), request)).toBe('');
  });

  /** The first byte of an encrypted message of the gossip. An answer in plaintext would begin with another one. */
  const ENCRYPTED = 10;
  it('gives no answer in plaintext to the gossip', async () => {
    const message = Buffer.from([6, ...Buffer.from('stranger')]);
    const answer = await answerTo(connectPlainly(at(8511)), message);
    expect(answer === '' || answer.charCodeAt(0) === ENCRYPTED).toBe(true);
  });

  it('refuses TLS without a certificate on the port of servers', async () => {
    const socket = connectPlainly(at(8510));
    socket.write(Buffer.from([3]));
    expect(await answerTo(connectTls({ socket, ca, servername: 'consul' }), Buffer.from([0]))).toBe('');
  });
});

it.each([50_051, 50_052, 50_053, 50_054, 50_055, 50_056])(
  'the service on port %i speaks no plaintext',
  async (port) => {
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0', 'latin1');
    // TLS answers with an alert, HTTP/2 would with a frame of settings.
    const answer = await answerTo(connectPlainly(at(port)), preface);
    expect(answer.slice(3, 5)).not.toBe('\u0004\0');
  },
);

/** All that the server sends until it closes the connection. Rejects if it stays open. */
function answerTo(socket: Socket, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    socket.setEncoding('latin1').on('data', (text) => (answer += text));
    socket.on('error', () => resolve(answer)).on('close', () => resolve(answer));
    setTimeout(
      () => reject(new Error(`The connection stays open; the answer is ${answer}.`)),
      20_000,
    ).unref();
    socket.write(bytes);
  });
}
