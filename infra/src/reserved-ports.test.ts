import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { expect, it } from 'vitest';
import { withReservedPorts } from './reserved-ports.ts';

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

it('gives a reserved port to a listener, and to no outgoing connection', async () => {
  const server = await listen(0);
  const { port: target } = server.address() as { port: number };
  const probe = await listen(0);
  const { port } = probe.address() as { port: number };
  probe.close();
  await withReservedPorts([port], async () => {
    const taken = connect({ host: '127.0.0.1', port: target, localPort: port });
    await expect(once(taken, 'connect')).rejects.toMatchObject({ code: 'EADDRINUSE' });
    (await listen(port)).close();
  });
  server.close();
});
