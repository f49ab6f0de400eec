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

it('closes connections above the limit, and accepts new ones when others end', async () => {
  const held = [await open(), await open(), await open()];
  for (const socket of held) expect(await ask(socket, GET)).toBe('200');
  const refused = await open();
  expect(await endOf(refused)).toBe('ended');
  held[0]?.destroy();
  const statusOfNext = async () => {
    const socket = await open();
    return Promise.race([ask(socket, GET), endOf(socket)]);
  };
  await expect.poll(statusOfNext, { timeout: 20_000 }).toBe('200');
});
