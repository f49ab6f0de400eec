/**
 * The authority of a server is replaced while a process runs: the file of the clients gets the new one, then the server its new certificate.
 * The next connection of each client must succeed, without a restart. The servers here only do the handshake of TLS.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import { openRegistryReader } from '@payflowx/registry';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { kafkaClient } from '../src/messaging/kafka/producer.ts';
import { rascalConfig } from '../src/messaging/rabbit/publisher.ts';
import { openDatabase } from '../src/postgres/database.ts';
import { readAuthorities } from '../src/process/authorities.ts';
import { consulConfig } from '../src/process/connections.ts';
import { createTestAuthority, testLog } from '../src/testing/index.ts';

const ADDRESS = '127.0.0.1';

let folder: string;
let caFile: string;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'authorities-'));
  caFile = join(folder, 'ca.pem');
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(folder, { recursive: true });
});

interface Handshakes {
  port: number;
  /** Takes a new authority: all later connections get a certificate of it. The file of the clients gets it too. */
  replaceAuthority(): Promise<void>;
  /** The number of clients that accepted the certificate. */
  accepted: number;
}

/** PostgreSQL's clients ask in plaintext before the handshake. The server answers that it supports TLS. */
const POSTGRES_ASKS = 8;

async function openServer(kind: 'tls' | 'postgres'): Promise<Handshakes> {
  let context = createSecureContext();
  const server = createServer((socket) => {
    closing.push(() => socket.destroy());
    socket.on('error', () => undefined);
    if (kind === 'tls') return shake(socket);
    socket.once('data', (asked) => {
      expect(asked.length).toBe(POSTGRES_ASKS);
      socket.write('S');
      shake(socket);
    });
  });
  function shake(socket: Socket): void {
    const secure = new TLSSocket(socket, { isServer: true, secureContext: context });
    secure.on('error', () => undefined);
    secure.once('secure', () => {
      handshakes.accepted += 1;
      secure.destroy();
    });
  }
  await once(server.listen(0, ADDRESS), 'listening');
  closing.push(() => server.close());
  const handshakes: Handshakes = {
    port: (server.address() as AddressInfo).port,
    accepted: 0,
    async replaceAuthority() {
      const authority = await createTestAuthority();
      const { cert, key } = await authority.issue({ service: 'server', address: ADDRESS });
      await writeFile(caFile, authority.ca);
      context = createSecureContext({ cert, key, minVersion: 'TLSv1.3' });
    },
  };
  await handshakes.replaceAuthority();
  return handshakes;
}

/** Each opens a client once, which stays, and returns a function that makes it connect. */
const CLIENTS: Record<string, { kind: 'tls' | 'postgres'; open: (port: number) => () => Promise<unknown> }> =
  {
    kafka: {
      kind: 'tls',
      open(port) {
        const tls = readAuthorities('KAFKA_CA_FILE', caFile);
        const kafka = kafkaClient({ clientId: 'test', brokers: [`${ADDRESS}:${port}`], tls }, testLog);
        return () => kafka.admin({ retry: { retries: 0 } }).connect();
      },
    },
    rabbitmq: {
      kind: 'tls',
      open(port) {
        const tls = readAuthorities('RABBITMQ_CA_FILE', caFile);
        const url = `amqps://user:password@${ADDRESS}:${port}`;
        const { connect, connection } = rascalConnection(rascalConfig({ url, tls, queue: 'test' }));
        return () => connect(connection.url, connection.socketOptions);
      },
    },
    postgres: {
      kind: 'postgres',
      open(port) {
        const url = `postgres://user:password@${ADDRESS}:${port}/x?sslmode=verify-full&sslrootcert=${caFile}`;
        const db = openDatabase({ url, poolMax: 1 }, testLog);
        closing.push(() => db.destroy());
        return () => sql`select 1`.execute(db);
      },
    },
    consul: {
      kind: 'tls',
      open(port) {
        const settings = {
          CONSUL_URL: `https://${ADDRESS}:${port}`,
          CONSUL_CA_FILE: caFile,
          CONSUL_TOKEN: '',
        };
        const reader = openRegistryReader(consulConfig(settings));
        closing.push(() => reader.close());
        return () => reader.read();
      },
    },
  };

/** Rascal reconnects with the configuration that it made at the start, as amqplib does. */
function rascalConnection(config: object) {
  const require = createRequire(import.meta.url);
  let connection: { url: string; socketOptions: object } | undefined;
  require('rascal/lib/config/configure')(
    require('rascal').withDefaultConfig(config),
    (
      _: unknown,
      made: { vhosts: Record<string, { connections: { url: string; socketOptions: object }[] }> },
    ) => {
      connection = made.vhosts['/']?.connections[0];
    },
  );
  if (!connection) throw new Error('Rascal made no connection.');
  const { connect } = require('amqplib') as { connect(url: string, options: object): Promise<unknown> };
  return { connect, connection };
}

it.each(Object.entries(CLIENTS))(
  '%s: the next connection trusts the new authority only',
  async (_, { kind, open }) => {
    const server = await openServer(kind);
    const connect = open(server.port);
    /** The server ends each connection after the handshake, so that the client has to open the next one. Some clients try again at once. */
    const isAccepted = async () => {
      const before = server.accepted;
      await connect().catch(() => undefined);
      return server.accepted > before;
    };
    expect(await isAccepted()).toBe(true);
    await server.replaceAuthority();
    expect(await isAccepted()).toBe(true);
    await writeFile(caFile, (await createTestAuthority()).ca);
    expect(await isAccepted()).toBe(false);
  },
);

it('keeps the last authority while the file is incomplete', async () => {
  const { ca } = await createTestAuthority();
  await writeFile(caFile, ca);
  const authorities = readAuthorities('KAFKA_CA_FILE', caFile);
  await writeFile(caFile, ca.slice(0, 100));
  expect(authorities.ca).toBe(ca);
  await rm(caFile);
  expect(authorities.ca).toBe(ca);
});
