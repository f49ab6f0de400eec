/** Bounds the cost of connections: their number, and the time that a client may take to send a request. */
import type { Socket } from 'node:net';
import type { Logger } from '@payflowx/chassis';
import type { FastifyInstance } from 'fastify';
import { countInLog } from './count-log.ts';

/** The time for a whole request, body included. After that it gets 408. */
const REQUEST_TIMEOUT_MS = 15_000;
/** The time for the headers. It counts from the start of a new connection too. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Longer than load balancers keep an unused connection, which is usually 60 s. */
const KEEP_ALIVE_MS = 75_000;
/** Node's default of 30 s would triple the times above. */
const CHECK_EVERY_MS = 1_000;

export const CONNECTION_TIMES = {
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECK_EVERY_MS },
};

/**
 * The time for the rest of a body whose request has its response already, such as a 401. A client that is still sending reads the
 * response only afterwards, so the connection may not be closed at once. A client that never ends its body must not keep it.
 */
const LINGER_MS = 2_000;

interface Settings {
  /** More are closed when they arrive. */
  maxConnections: number;
  log: Logger;
}

export function boundConnections(app: FastifyInstance, { maxConnections, log }: Settings): void {
  app.server.maxConnections = maxConnections;
  app.server.on('drop', countInLog(app, log, 'closed new connections: there are too many'));
  app.addHook('onResponse', ({ raw }, _reply, done) => {
    // A body that came in one packet with its headers is only read after this. A timer for each refusal would cost as much as the refusal.
    if (!raw.complete) setImmediate(() => raw.complete || closeLater(raw.socket, () => !raw.complete));
    done();
  });
}

/** Destroys the socket after a moment, if `isNeeded` still holds. */
export function closeLater(socket: Socket, isNeeded = () => true): void {
  setTimeout(() => {
    if (isNeeded()) socket.destroy();
  }, LINGER_MS).unref();
}
