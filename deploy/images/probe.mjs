/**
 * Exits with 0 if the service in this container answers. Asks the gRPC health service over TLS, which the gRPC probe of Kubernetes cannot
 * use. Checks no certificate: the service is in the same container. The gateway is asked at /healthz.
 */
import { existsSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { connect } from 'node:http2';
import { get as getSecure } from 'node:https';

const GIVE_UP_AFTER_MS = 4_000;

/** A message without fields, in the frame of gRPC: no compression, and the length 0. It asks for the whole server. */
const REQUEST = Buffer.alloc(5);
/** The frame of `HealthCheckResponse { status: SERVING }`. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 1]);

const { GRPC_HOST, GRPC_PORT, HTTP_HOST, HTTP_PORT, HTTPS_CERT_FILE } = process.env;

function end(problem) {
  if (problem) console.error(problem);
  process.exit(problem ? 1 : 0);
}

/** An address of this container, for a service that listens on all of them. */
function reachable(host) {
  return host === undefined || host === '0.0.0.0' ? '127.0.0.1' : host;
}

function askGrpc() {
  const session = connect(`https://${reachable(GRPC_HOST)}:${GRPC_PORT}`, { rejectUnauthorized: false });
  session.on('error', (error) => end(error.message));
  const headers = { ':method': 'POST', ':path': '/grpc.health.v1.Health/Check' };
  const call = session.request({ ...headers, 'content-type': 'application/grpc', te: 'trailers' });
  const chunks = [];
  call.on('data', (chunk) => chunks.push(chunk));
  call.on('error', (error) => end(error.message));
  call.on('end', () => end(Buffer.concat(chunks).equals(SERVING) ? undefined : 'NOT_SERVING'));
  call.end(REQUEST);
}

function askHttp() {
  const options = {
    host: reachable(HTTP_HOST),
    port: HTTP_PORT,
    path: '/healthz',
    rejectUnauthorized: false,
  };
  const get = HTTPS_CERT_FILE ? getSecure : getPlain;
  get(options, ({ statusCode }) =>
    end(statusCode === 200 ? undefined : `/healthz answered ${statusCode}`),
  ).on('error', (error) => end(error.message));
}

setTimeout(() => end(`no answer within ${GIVE_UP_AFTER_MS} ms`), GIVE_UP_AFTER_MS);
if (existsSync('/payflowx/gateway')) askHttp();
else askGrpc();
