/** Keeps the services' ports for the services while these start. */
import { createServer, type Server } from 'node:net';

/**
 * Nothing of ours is at this address, so a service can still listen on the same port at 127.0.0.1. Linux gives an outgoing connection
 * no port that a socket was bound to, at whatever address. Where there is no such address (macOS), nothing is reserved.
 */
const ASIDE = '127.0.0.2';

/**
 * Until `work` ends, no outgoing connection gets one of these ports. gRPC's usual ones are among those that Linux gives to connections, and in
 * the moment when all services start, these and their servers open a hundred: in one of some twenty starts one of them took
 * the port of a service that came to listen a little later.
 */
export async function withReservedPorts<T>(ports: readonly number[], work: () => Promise<T>): Promise<T> {
  const reserved = await Promise.all(ports.map(reserve));
  try {
    return await work();
  } finally {
    for (const server of reserved) server?.close();
  }
}

function reserve(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, ASIDE, () => resolve(server));
  });
}
