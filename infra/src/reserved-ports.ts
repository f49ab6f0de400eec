/** Reserves the services' ports until the services listen on them. */
import { createServer, type Server } from 'node:net';

/**
 * An address that nothing else uses. A service can still listen on the same port at 127.0.0.1, but Linux gives no outgoing
 * connection a port that is bound at any address. On macOS the address does not exist, and nothing is reserved.
 */
export const RESERVED_AT = '127.0.0.2';

/**
 * Keeps outgoing connections off these ports until `work` ends. gRPC's usual ports are in the range that Linux gives to outgoing
 * connections. At startup, services and servers open about a hundred connections. In three of some fifty restarts, one of them
 * took the port of a service that started later. Tests open thousands, and connections between the servers stay open.
 */
export async function withReservedPorts<T>(ports: readonly number[], work: () => Promise<T>): Promise<T> {
  const reserved = await Promise.all(ports.map((port) => tryToListen(port, RESERVED_AT)));
  try {
    return await work();
  } finally {
    for (const server of reserved) server?.close();
  }
}

/** Undefined if not possible: the port is taken, or the address does not exist. */
export function tryToListen(port: number, host: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, host, () => resolve(server));
  });
}
