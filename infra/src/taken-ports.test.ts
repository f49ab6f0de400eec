import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { requireFreePorts } from './taken-ports.ts';

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on('error', () => socket.destroy())).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { server, port };
}

it('refuses a port with a listener at once', async () => {
  const { server, port } = await listen();
  await expect(requireFreePorts([{ name: 'ledger', port }])).rejects.toThrow(
    `Port ${port} (ledger) is taken by `,
  );
  server.close();
});

it('waits for a port of an outgoing connection', async () => {
  const { server, port: target } = await listen();
  const connection = connect(target, '127.0.0.1');
  await once(connection, 'connect');
  const { localPort: port = 0 } = connection;
  let isFree = false;
  const waiting = requireFreePorts([{ name: 'ledger', port }]).then(() => {
    isFree = true;
  });
  await pause(100);
  expect(isFree).toBe(false);
  connection.resetAndDestroy(); // After an orderly close, Linux would keep the port for a minute.
  await waiting;
  server.close();
});
