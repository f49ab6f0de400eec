/** Connections cost little, whatever their clients do with them. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Platform, startPlatform } from './platform.ts';

let platform: Platform;
const sockets: Socket[] = [];

beforeEach(async () => {
  platform = await startPlatform({ MAX_CONNECTIONS: '3' });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await platform.close();
});

/** A client that never closes its side by itself. */
async function open(): Promise<Socket> {
  const port = Number(new URL(platform.url).port);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

const GET = 'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n';
const POST =
  'POST /v1/payments HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n';

/** Resolves when the server has closed the connection. */
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    for (const event of ['end', 'close']) socket.once(event, () => resolve('ended'));
    socket.resume();
  });
}

async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [data] = await once(socket, 'data');
  return `${data}`.slice(9, 12);
}

it('a body that drips after the response to its request does not keep the connection', async () => {
  const socket = await open();
  expect(await ask(socket, POST)).toBe('401');
  const drip = setInterval(() => socket.write('x'), 50);
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(drip);
});

it('a body that ends after the response keeps the connection for the next request', async () => {
  const socket = await open();
  expect(await ask(socket, POST)).toBe('401');
  expect(await ask(socket, `${'x'.repeat(60)}${GET}`)).toBe('200');
  const pause = setTimeout(() => socket.write(GET), 2_500);
  const [data] = await once(socket, 'data');
  clearTimeout(pause);
  expect(`${data}`).toContain('200 OK');
});

it('a client that does not close its side after an error is disconnected', async () => {
  const socket = await open();
  expect(await ask(socket, 'nonsense\r\n\r\n')).toBe('400');
  const drip = setInterval(() => socket.write('x'), 50);
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(drip);
});

it('closes a connection that sends many requests without waiting for responses', async () => {
  const socket = await open();
  const other = await open();
  const ended = endOf(socket);
  socket.write(GET.repeat(20_000));
  expect(await ended).toBe('ended');
  expect(await ask(other, GET)).toBe('200');
});

it('answers a few requests that a client sends without waiting, in order, again and again', async () => {
  const socket = await open();
  let text = '';
  socket.on('data', (data) => {
    text += data;
  });
  for (const rounds of [1, 2, 3]) {
    socket.write(`${GET}${GET.replace('/healthz', '/nothing')}`.repeat(15));
    await expect
      .poll(() => text.match(/HTTP\/1.1 (200|404)/g)?.length, { timeout: 20_000 })
      .toBe(30 * rounds);
  }
  expect(text.match(/HTTP\/1.1 \d+/g)?.map((line) => line.slice(-3))).toEqual(
    Array.from({ length: 45 }, () => ['200', '404']).flat(),
  );
});

it('above the limit, a new connection pushes out the one that is idle for longest, and is answered', async () => {
  const [first, second, third] = [await open(), await open(), await open()];
  for (const socket of [first, second, third]) expect(await ask(socket, GET)).toBe('200');
  // The first one is the newest by now.
  expect(await ask(first, GET)).toBe('200');
  const ended = endOf(second);
  expect(await ask(await open(), GET)).toBe('200');
  expect(await ended).toBe('ended');
  for (const socket of [first, third]) expect(await ask(socket, GET)).toBe('200');
});

it('a flood of idle connections, with or without a request, keeps no client out', async () => {
  for (const index of Array(20).keys()) {
    const socket = await open();
    if (index % 2 === 0) expect(await ask(socket, GET)).toBe('200');
  }
  expect(await ask(await open(), GET)).toBe('200');
});

it('a flood of idle connections does not cut a stream of events whose client reads', async () => {
  const token = await platform.identity.tokenFor({ id: 'usr_stream', roles: ['customer'] });
  platform.fakes.notification.followEvents = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { events: [], position: 1n };
  };
  const stream = await open();
  let text = '';
  let isCut = false;
  stream.on('data', (data) => {
    text += data;
  });
  stream.once('close', () => {
    isCut = true;
  });
  stream.write(`GET /v1/events/stream HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\n\r\n`);
  await expect.poll(() => text, { timeout: 20_000 }).toContain(': connected');

  for (const index of Array(20).keys()) {
    const socket = await open();
    if (index % 2 === 0) expect(await ask(socket, GET)).toBe('200');
  }
  text = '';
  await expect.poll(() => isCut || text, { timeout: 20_000 }).toContain(': still here');
  stream.destroy();
});

it('clients that do not read their responses keep no other client out', async () => {
  // More than the buffers of a connection take.
  const many = GET.replace('/healthz', '/docs/js/scalar.js').repeat(20);
  for (const socket of [await open(), await open(), await open()]) {
    socket.write(many);
    await once(socket, 'readable');
  }
  const statusOfNext = async () => {
    const socket = await open();
    return Promise.race([ask(socket, GET), endOf(socket)]);
  };
  await expect.poll(statusOfNext, { timeout: 20_000 }).toBe('200');
});
