/** The service at the other end of a connection, by its verified certificate. */
import type { ServerHttp2Stream } from 'node:http2';
import { TLSSocket } from 'node:tls';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { Certificates } from '../tls/certificates.ts';
import { identityOf, identityOfPem } from '../tls/service-identity.ts';

/** Returns the name of the service that makes the call. Undefined without a valid certificate. */
export type Peers = (call: ServerInterceptingCallInterface) => string | undefined;

interface Peer {
  service: string | undefined;
  /** In milliseconds since the epoch. */
  expiresAt: number;
}

const NOBODY: Peer = { service: undefined, expiresAt: Number.POSITIVE_INFINITY };

/**
 * Reads the certificate once for each connection, because parsing it costs as much as a small call. A connection outlives its
 * certificate, but its identity does not: a client opens a new connection after each renewal.
 */
export function createPeers(certificates: Certificates): Peers {
  const known = new WeakMap<object, Peer>();
  return (call) => {
    // grpc-js parses the certificate again at each call. A test fails if it changes this field.
    const { session } = (call as unknown as { stream: ServerHttp2Stream }).stream;
    if (!session) return undefined;
    const peer = known.get(session) ?? peerOf(session.socket, certificates);
    known.set(session, peer);
    return Date.now() < peer.expiresAt ? peer.service : undefined;
  };
}

function peerOf(socket: unknown, certificates: Certificates): Peer {
  // `authorized` says that the certificate is valid and from a trusted CA. Node sets it for server sockets too.
  if (!(socket instanceof TLSSocket) || !socket.authorized) return NOBODY;
  const { subjectaltname, valid_to: validTo } = socket.getPeerCertificate();
  const identity = identityOf(subjectaltname);
  const own = identityOfPem(certificates.current().cert);
  if (!identity || identity.trustDomain !== own?.trustDomain) return NOBODY;
  return { service: identity.service, expiresAt: Date.parse(validTo) };
}
