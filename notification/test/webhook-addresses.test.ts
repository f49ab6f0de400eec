import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAddressPolicy } from '../src/webhooks/address-policy.ts';
import { createWebhookSender } from '../src/webhooks/send-request.ts';
import { type Receiver, startReceiver } from './receiver.ts';

const strict = createAddressPolicy({ allowHttp: false, allowedNetworks: [], ports: [443, 8443] });

it.each([
  'http://93.184.215.14/',
  'ftp://93.184.215.14/',
  'https://user@93.184.215.14/',
  'https://:secret@93.184.215.14/',
  'https://93.184.215.14/#part',
  'https://93.184.215.14:22/',
  'https://',
  'not a url',
  `https://93.184.215.14/${'x'.repeat(2_048)}`,
  'https://10.0.0.1/',
  'https://0x0a000001/',
  'https://0xa.0.0.1/',
  'https://012.0.0.1/',
  'https://167772161/',
  'https://10.1/',
  'https://127.0.0.1/',
  'https://127.1./',
  'https://２130706433/',
  'https://0/',
  'https://0.1.2.3/',
  'https://100.64.0.1/',
  'https://169.254.169.254/',
  'https://172.16.0.1/',
  'https://192.168.0.1/',
  'https://192.0.0.1/',
  'https://198.18.0.1/',
  'https://224.0.0.1/',
  'https://240.0.0.1/',
  'https://255.255.255.255/',
  'https://[::]/',
  'https://[::1]/',
  'https://[::10.0.0.1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://[::ffff:93.184.215.14]/',
  'https://[0:0:0:0:0:ffff:a00:1]/',
  'https://[64:ff9b::10.0.0.1]/',
  'https://[64:ff9b:1::a00:1]/',
  'https://[2002:a00:1::]/',
  'https://[2001:0:a00:1::]/',
  'https://[fc00::1]/',
  'https://[fe80::1]/',
  'https://[fec0::1]/',
  'https://[fd00:ec2::254]/',
  'https://[ff02::1]/',
  'https://localhost/',
  'https://LOCALHOST./',
  'https://receiver.localhost/',
])('refuses %s', async (url) => {
  await expect(strict.checkUrl(url)).rejects.toMatchObject({ reason: 'URL_NOT_ALLOWED' });
});

it.each([
  ['https://93.184.215.14/hook?x=1', 'https://93.184.215.14/hook?x=1'],
  ['https://93.184.215.14:8443', 'https://93.184.215.14:8443/'],
  ['https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/', 'https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/'],
])('allows %s', async (url, href) => {
  expect(await strict.checkUrl(url)).toBe(href);
});

it('a configured network is allowed, and no other', async () => {
  const demo = createAddressPolicy({
    allowHttp: true,
    allowedNetworks: ['127.0.0.0/8', '::1/128'],
    ports: undefined,
  });
  for (const url of ['http://127.0.0.1:9000/', 'http://0x7f000001/', 'http://localhost:1/', 'https://[::1]/'])
    await demo.checkUrl(url);
  for (const url of ['http://10.0.0.1/', 'http://169.254.169.254/'])
    await expect(demo.checkUrl(url)).rejects.toMatchObject({ reason: 'URL_NOT_ALLOWED' });
});

let dns: { server: Socket; port: number; addresses: string[]; queries: number };
let receiver: Receiver;

/** A name server that answers each A query with the next address, as one that rebinds a name does. */
beforeAll(async () => {
  receiver = await startReceiver();
  const server = createSocket('udp4');
  dns = { server, port: 0, addresses: [], queries: 0 };
  server.on('message', (query, from) => {
    const type = query.readUInt16BE(query.length - 4);
    const isA = type === 1;
    const address = isA ? (dns.addresses.shift() ?? '') : '';
    if (isA) dns.queries += 1;
    server.send(answerTo(query, address), from.port, from.address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  dns.port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  dns.server.close();
  await receiver.close();
});

/** The query without its additional records, with at most one A record. RFC 1035. */
function answerTo(query: Buffer, address: string): Buffer {
  let end = 12;
  while (query[end] !== 0) end += (query[end] ?? 0) + 1;
  const question = query.subarray(12, end + 5);
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(address ? 1 : 0, 6);
  header.writeUInt16BE(0, 8);
  header.writeUInt16BE(0, 10);
  const record = address ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)] : [];
  return Buffer.concat([header, question, Buffer.from(record)]);
}

it('a name that was public when it was saved is refused when it leads to a private address', async () => {
  const policy = createAddressPolicy({
    allowHttp: true,
    allowedNetworks: [],
    ports: undefined,
    nameServers: [`127.0.0.1:${dns.port}`],
  });
  const url = `http://rebinding.example:${new URL(receiver.url).port}/`;
  dns.addresses = ['93.184.215.14', '127.0.0.1', '10.0.0.1'];
  expect(await policy.checkUrl(url)).toBe(url);
  const sender = createWebhookSender(policy, { timeoutMs: 10_000 });
  const answer = await sender.send(url, {}, '{}', new AbortController().signal);
  expect(answer).toMatchObject({ status: undefined, error: 'the address is not public' });
  expect(receiver.received).toEqual([]);
  // A name that is private when it is saved is refused then.
  await expect(policy.checkUrl(url)).rejects.toMatchObject({ reason: 'URL_NOT_ALLOWED' });
  sender.close();
});

it.each(['127.0.0.1', '[::1]', '10.0.0.1', '[fd00:ec2::254]'])(
  'an address in a URL is checked again when it is sent to, because a network may not be allowed any more: %s',
  async (host) => {
    const sender = createWebhookSender(
      createAddressPolicy({ allowHttp: true, allowedNetworks: [], ports: undefined }),
      { timeoutMs: 10_000 },
    );
    const before = receiver.received.length;
    const url = `http://${host}:${new URL(receiver.url).port}/`;
    const answer = await sender.send(url, {}, '{}', new AbortController().signal);
    expect(answer).toMatchObject({ status: undefined, error: 'the address is not public' });
    expect(receiver.received).toHaveLength(before);
    sender.close();
  },
);

it('connects to the address that was checked: one request asks the name server once', async () => {
  const policy = createAddressPolicy({
    allowHttp: true,
    allowedNetworks: ['127.0.0.0/8'],
    ports: undefined,
    nameServers: [`127.0.0.1:${dns.port}`],
  });
  dns.addresses = ['127.0.0.1'];
  dns.queries = 0;
  const sender = createWebhookSender(policy, { timeoutMs: 10_000 });
  const url = `http://steady.example:${new URL(receiver.url).port}/`;
  expect(await sender.send(url, {}, '{}', new AbortController().signal)).toMatchObject({
    status: 200,
    error: '',
  });
  expect(dns.queries).toBe(1);
  sender.close();
});
