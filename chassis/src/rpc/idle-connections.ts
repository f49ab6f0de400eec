/**
 * Closes connections without calls, and calls whose client does not end its request, so that a stranger cannot collect them. A connection
 * gets its notice (GOAWAY) only while it has no calls, also when the server stops. There is no limit of a connection's age:
 *
 * - grpc-js has settings for age and idle time, but closes the connection together with the notice. A request on its way then gets no
 *   response.
 * - Node's client never sends a request that it started just before it read a notice. The call hangs until a probe fails. Under load
 *   that happens at nearly every notice. On a connection without calls it needs a call that begins in the same millisecond.
 * - The client of grpc-js drops its calls at the next probe after a notice, though they are still served
 *   (https://github.com/grpc/grpc-node/issues/3068).
 */
import { constants, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type TLSSocket, Server as TlsServer } from 'node:tls';
import type { Server } from '@grpc/grpc-js';
import { type BoundedConnections, boundIdleConnections } from '../process/bounded-connections.ts';

/** A stream that is on its way is not too new for the notice: it is still served. */
const ANY_STREAM = 2 ** 31 - 1;
/** Time for the client to close the connection. After it, an unused connection is cut. */
const GRACE_MS = 10_000;
/** The same while the server stops: for requests on their way. The client makes new ones elsewhere as soon as it has read the notice. */
const LEAVING_GRACE_MS = 100;

/**
 * Time for a client to end a request that has its response already, such as UNAUTHENTICATED. After it, the call is reset without an
 * error (RFC 9113, 8.1). Otherwise the client could keep it, and so its connection, for ever.
 */
const LINGER_MS = 2_000;

interface Bounds {
  idleMs: number;
  /** The most connections without a certificate of the platform. As many others may be in their handshake. */
  maxStrangers: number;
}

export interface Connections {
  /**
   * Accepts no new connection, and closes each one when it has no calls. Resolves when all are closed, or after `limitMs` with those that
   * still have calls.
   */
  leave(limitMs: number): Promise<void>;
}

/** The server must be bound. grpc-js has no public way to its HTTP/2 servers. A test fails if this one changes. */
export function closeIdleConnections(server: Server, { idleMs, maxStrangers }: Bounds): Connections {
  const { http2Servers } = server as unknown as { http2Servers: Map<Http2Server, unknown> };
  const open = new Set<() => void>();
  const handshakes: BoundedConnections<Socket>[] = [];
  let allClosed = () => {};
  for (const http2Server of http2Servers.keys()) {
    const bounds = boundStrangers(http2Server, maxStrangers);
    handshakes.push(bounds.handshakes);
    http2Server.on('session', (session) => {
      const leave = closeWhenIdle(session, idleMs, bounds.watch(session));
      open.add(leave);
      session.once('close', () => {
        open.delete(leave);
        if (open.size === 0) allClosed();
      });
    });
  }
  return {
    async leave(limitMs) {
      // The method of an HTTP/2 server would also send the notice to all connections.
      for (const http2Server of http2Servers.keys()) TlsServer.prototype.close.call(http2Server);
      for (const unknown of handshakes) unknown.closeUnused();
      if (open.size === 0) return;
      const closed = new Promise<void>((resolve) => {
        allClosed = resolve;
      });
      for (const leave of open) leave();
      const limit = new AbortController();
      const late = pause(limitMs, undefined, limit).catch(() => undefined);
      await Promise.race([closed, late]);
      limit.abort();
    },
  };
}

interface Watch {
  busy(): void;
  idle(): void;
}

interface StrangerBounds {
  handshakes: BoundedConnections<Socket>;
  watch(session: ServerHttp2Session): Watch;
}

const NO_WATCH: Watch = { busy() {}, idle() {} };

/**
 * Connecting needs no certificate, so strangers have a bound. Connections whose handshake is not complete have a second one of the same
 * size, because their certificate is not known yet: the newest push out the oldest. Connections of services are in neither.
 */
function boundStrangers(http2Server: Http2Server, max: number): StrangerBounds {
  /** The HTTP/2 session has another socket, over the one that was accepted. They have the address of the client in common. */
  const accepted = new Map<string, Socket>();
  const handshakes = boundIdleConnections<Socket>(max, (socket) => socket.destroy());
  const strangers = boundIdleConnections<ServerHttp2Session>(max, (session) => session.destroy());
  http2Server.on('connection', (socket: Socket) => {
    const client = clientOf(socket);
    accepted.set(client, socket);
    handshakes.opened(socket);
    socket.once('close', () => {
      if (accepted.get(client) === socket) accepted.delete(client);
      handshakes.closed(socket);
    });
  });
  const watch = (session: ServerHttp2Session) => {
    const socket = accepted.get(clientOf(session.socket));
    if (socket) handshakes.closed(socket);
    if ((session.socket as TLSSocket).authorized) return NO_WATCH;
    session.once('close', () => strangers.closed(session));
    strangers.opened(session);
    return { busy: () => strangers.busy(session), idle: () => strangers.idle(session) };
  };
  return { handshakes, watch };
}

function clientOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Returns a function that closes it at its next moment without calls, which can be now. */
function closeWhenIdle(session: ServerHttp2Session, idleMs: number, watched: Watch): () => void {
  let calls = 0;
  let idleSince = performance.now();
  let isLeaving = false;
  let hasNotice = false;
  const notice = (graceMs: number) => {
    if (hasNotice || session.destroyed) return;
    hasNotice = true;
    clearInterval(watch);
    session.goaway(constants.NGHTTP2_NO_ERROR, ANY_STREAM);
    cut = setInterval(() => calls === 0 && session.destroy(), graceMs).unref();
  };
  session.on('stream', (stream: ServerHttp2Stream) => {
    calls += 1;
    watched.busy();
    stream.once('finish', () => {
      if (!stream.readableEnded) setTimeout(resetCall, LINGER_MS, stream).unref();
    });
    stream.once('close', () => {
      calls -= 1;
      idleSince = performance.now();
      if (calls > 0) return;
      watched.idle();
      if (isLeaving) notice(LEAVING_GRACE_MS);
    });
  });
  let cut: NodeJS.Timeout | undefined;
  const watch = setInterval(() => {
    if (calls === 0 && performance.now() - idleSince >= idleMs) notice(GRACE_MS);
  }, idleMs).unref();
  session.once('close', () => {
    clearInterval(watch);
    clearInterval(cut);
  });
  return () => {
    isLeaving = true;
    if (calls === 0) notice(LEAVING_GRACE_MS);
  };
}

function resetCall(stream: ServerHttp2Stream): void {
  if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
}
