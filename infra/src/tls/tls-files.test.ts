import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TlsOptions } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ensureCertificates } from './tls-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tls-'));
});
afterEach(() => rm(folder, { recursive: true }));

const read = (name: string) => readFile(join(folder, name), 'utf8');

async function readAll(): Promise<Record<string, string>> {
  const names = await readdir(folder);
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
}

/** Connects to a server with the certificate of `name`, and returns the error code of the client, if there is one. */
async function handshake(name: string, ca: string, servername: string): Promise<string | undefined> {
  const pem = await read(`${name}.pem`);
  const options: TlsOptions = { key: pem, cert: pem };
  const server = createServer(options, (socket) => socket.end());
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const socket = connect({
      port,
      host: servername,
      lookup: (_, __, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
      ca,
    });
    await once(socket, 'secureConnect');
    socket.destroy();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    server.close();
  }
}

it('lets clients with the file of the authority verify a server by its address and name, and refuses others', async () => {
  await ensureCertificates(folder);
  const ca = await read('ca.pem');
  expect(await handshake('postgres', ca, '127.0.0.1')).toBeUndefined();
  expect(await handshake('postgres', ca, 'localhost')).toBeUndefined();
  expect(await handshake('postgres', ca, 'postgres')).toBeUndefined();
  expect(await handshake('postgres', ca, 'kafka')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  const other = await mkdtemp(join(tmpdir(), 'tls-'));
  await ensureCertificates(other);
  const otherCa = await readFile(join(other, 'ca.pem'), 'utf8');
  await rm(other, { recursive: true });
  expect(await handshake('postgres', otherCa, 'localhost')).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
});

it('keeps certificates, renews them in the last third of their time, and renews all with a new authority', async () => {
  await ensureCertificates(folder);
  const first = await readAll();
  await ensureCertificates(folder);
  expect(await readAll()).toEqual(first);

  const later = (days: number) => new Date(Date.now() + days * 24 * 60 * 60 * 1_000);
  await ensureCertificates(folder, later(300));
  const second = await readAll();
  const changed = () => Object.keys(first).filter((name) => first[name] !== second[name]);
  expect(changed().sort()).toEqual([
    'consul.pem',
    'kafka-admin.pem',
    'kafka.pem',
    'postgres.pem',
    'rabbitmq.pem',
  ]);

  await ensureCertificates(folder, later(3_000));
  const third = await readAll();
  expect(Object.keys(third).filter((name) => third[name] === second[name])).toEqual([]);
});

it('lets only their owner read the files, and replaces a damaged one', async () => {
  await ensureCertificates(folder);
  for (const name of await readdir(folder)) {
    expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
  }
  await rm(join(folder, 'kafka.pem'));
  await ensureCertificates(folder);
  expect(await read('kafka.pem')).toContain('PRIVATE KEY');
});
