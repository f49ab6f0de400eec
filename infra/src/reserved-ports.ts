/** Keeps the services' ports for the services until these listen. */
import { createServer, type Server } from 'node:net';

/**
 * Nothing of ours is at this address, so a service can still listen on the same port at 127.0.0.1. Linux gives an outgoing connection
 * no port that a socket was bound to, at whatever address. Where there is no such address (macOS), nothing is reserved.
 */
export const RESERVED_AT = '127.0.0.2';

/**
 * Until `work` ends, no outgoing connection gets one of these ports. gRPC's usual ones are among those that Linux gives to connections, and in
 * the moment when all services start, these and their servers open a hundred: in three of some fifty restarts one of them took
 * the port of a service that came to listen a little later. Tests open thousands, and what the servers open among themselves stays.
 */
export async function withReservedPorts<T>(ports: readonly number[], work: () => Promise<T>): Promise<T> {
  const reserved = await Promise.all(ports.map((port) => tryToListen(port, RESERVED_AT)));
  try {
    return await work();
  } finally {
    for (const server of reserved) server?.close();
  }
}

/** Undefined where that is not possible: the port is taken, or there is no such address. */
export function tryToListen(port: number, host: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, host, () => resolve(server));
  });
}
