/**
 * Closes connections without calls, so that a stranger cannot collect them. There is no limit of a connection's age:
 *
 * - grpc-js has settings for age and idle time, but closes the connection together with the notice (GOAWAY). A request on its way then
 *   gets no response.
 * - Node's client never sends a request that it started just before it read a notice. The call hangs until a probe fails. Under load
 *   that happens at nearly every notice. On a connection without calls it needs a call that begins in the same millisecond.
 */
import { constants, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/** A stream that is on its way is not too new for the notice: it is still served. */
const ANY_STREAM = 2 ** 31 - 1;
/** Time for the client to close the connection. After it, an unused connection is cut. */
const GRACE_MS = 10_000;

/** The server must be bound. grpc-js has no public way to its HTTP/2 servers. A test fails if this one changes. */
export function closeIdleConnections(server: Server, idleMs: number): void {
  const { http2Servers } = server as unknown as { http2Servers: Map<Http2Server, unknown> };
  for (const http2Server of http2Servers.keys()) {
    http2Server.on('session', (session) => closeWhenIdle(session, idleMs));
  }
}

function closeWhenIdle(session: ServerHttp2Session, idleMs: number): void {
  let calls = 0;
  let idleSince = performance.now();
  session.on('stream', (stream: ServerHttp2Stream) => {
    calls += 1;
    stream.once('close', () => {
      calls -= 1;
      idleSince = performance.now();
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
