/**
 * Closes connections without calls, and calls whose client does not end its request, so that a stranger cannot collect them. There is no limit of a connection's age:
 *
 * - grpc-js has settings for age and idle time, but closes the connection together with the notice (GOAWAY). A request on its way then
 *   gets no response.
 * - Node's client never sends a request that it started just before it read a notice. The call hangs until a probe fails. Under load
 *   that happens at nearly every notice. On a connection without calls it needs a call that begins in the same millisecond.
 */
import { constants, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Server } from '@grpc/grpc-js';
import { boundIdleConnections } from '../process/bounded-connections.ts';

/** A stream that is on its way is not too new for the notice: it is still served. */
const ANY_STREAM = 2 ** 31 - 1;
/** Time for the client to close the connection. After it, an unused connection is cut. */
const GRACE_MS = 10_000;

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

/** The server must be bound. grpc-js has no public way to its HTTP/2 servers. A test fails if this one changes. */
export function closeIdleConnections(server: Server, { idleMs, maxStrangers }: Bounds): void {
  const { http2Servers } = server as unknown as { http2Servers: Map<Http2Server, unknown> };
  for (const http2Server of http2Servers.keys()) {
    const strangers = boundStrangers(http2Server, maxStrangers);
    http2Server.on('session', (session) => closeWhenIdle(session, idleMs, strangers(session)));
  }
}

interface Watch {
  busy(): void;
  idle(): void;
}

const NO_WATCH: Watch = { busy() {}, idle() {} };

/**
 * Connecting needs no certificate, so strangers have a bound. Connections whose handshake is not complete have a second one of the same
 * size, because their certificate is not known yet: the newest push out the oldest. Connections of services are in neither.
 */
function boundStrangers(http2Server: Http2Server, max: number): (session: ServerHttp2Session) => Watch {
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
  return (session) => {
    const socket = accepted.get(clientOf(session.socket));
    if (socket) handshakes.closed(socket);
    if ((session.socket as TLSSocket).authorized) return NO_WATCH;
    session.once('close', () => strangers.closed(session));
    strangers.opened(session);
    return { busy: () => strangers.busy(session), idle: () => strangers.idle(session) };
  };
}

function clientOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}

function closeWhenIdle(session: ServerHttp2Session, idleMs: number, watched: Watch): void {
  let calls = 0;
  let idleSince = performance.now();
  session.on('stream', (stream: ServerHttp2Stream) => {
    calls += 1;
    watched.busy();
    stream.once('finish', () => {
      if (!stream.readableEnded) setTimeout(resetCall, LINGER_MS, stream).unref();
    });
    stream.once('close', () => {
      calls -= 1;
      idleSince = performance.now();
      if (calls === 0) watched.idle();
    });
  });
  const isIdle = () => calls === 0 && performance.now() - idleSince >= idleMs;
  const watch = setInterval(() => {
    if (!isIdle()) return;
    clearInterval(watch);
    session.goaway(constants.NGHTTP2_NO_ERROR, ANY_STREAM);
    cut.push(setTimeout(() => session.destroy(), GRACE_MS).unref());
  }, idleMs).unref();
  const cut: NodeJS.Timeout[] = [];
  session.once('close', () => {
    clearInterval(watch);
    cut.forEach(clearTimeout);
  });
}

function resetCall(stream: ServerHttp2Stream): void {
  if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
}
