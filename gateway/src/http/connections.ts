/** Bounds the cost of connections: their number, the requests that wait in each, and the time that a client may take to send one. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { boundIdleConnections, type Logger } from '@payflowx/chassis';
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

/**
 * The most requests of a connection that wait for the response before theirs. Clients that pipeline at all send a few. Node reads and
 * starts all requests that a packet contains, about two thousand, before it writes a response or reads from another connection.
 */
const MAX_PIPELINED = 32;

interface Settings {
  /** A new one beyond them pushes out one that is idle or does not read. It is closed itself if there is none. */
  maxConnections: number;
  log: Logger;
}

export function boundConnections(app: FastifyInstance, { maxConnections, log }: Settings): void {
  limitNumber(app, maxConnections, log);
  limitPipelining(app, log);
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

/** A flood of idle connections keeps no newcomer out. Those in their TLS handshake are not counted, so all together have a bound too. */
function limitNumber(app: FastifyInstance, max: number, log: Logger): void {
  const { server } = app;
  const countClosed = countInLog(app, log, 'closed connections: there are too many');
  server.maxConnections = 2 * max;
  server.on('drop', countClosed);
  const close = (socket: Socket) => {
    countClosed();
    socket.destroy();
  };
  // A response that its client reads leaves no bytes here for long, also if it never ends, as a stream of events.
  const isUnread = (socket: Socket) => socket.writableLength > 0;
  const connections = boundIdleConnections(max, close, isUnread);
  const opened = server instanceof TlsServer ? 'secureConnection' : 'connection';
  server.on(opened, (socket: Socket) => {
    connections.opened(socket);
    socket.once('close', () => connections.closed(socket));
  });

  const unfinished = new WeakMap<Socket, number>();
  const count = (socket: Socket, change: 1 | -1) => {
    const responses = (unfinished.get(socket) ?? 0) + change;
    unfinished.set(socket, responses);
    return responses;
  };
  server.on('request', ({ socket }, response) => {
    if (count(socket, 1) === 1) connections.busy(socket);
    response.once('close', () => {
      if (count(socket, -1) === 0) connections.idle(socket);
    });
  });
}

/** Closes connections with too many waiting requests, before Fastify spends any time on them. */
function limitPipelining(app: FastifyInstance, log: Logger): void {
  const { server } = app;
  const handlers = server.listeners('request') as ((
    request: IncomingMessage,
    response: ServerResponse,
  ) => void)[];
  const waiting = new WeakMap<Socket, number>();
  const countClosed = countInLog(app, log, 'closed connections that sent too many requests without waiting');

  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const { socket } = request;
    // The rest of a packet whose connection was closed just now.
    if (socket.destroyed) return;
    // Node gives the socket to the response when its turn comes.
    if (response.socket === null) {
      const count = (waiting.get(socket) ?? 0) + 1;
      if (count > MAX_PIPELINED) {
        countClosed();
        socket.destroy();
        return;
      }
      waiting.set(socket, count);
      response.once('socket', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1));
    }
    for (const handle of handlers) handle.call(server, request, response);
  });
}
