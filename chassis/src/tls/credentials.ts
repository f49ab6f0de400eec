/** TLS for gRPC: a server that takes new certificates while it serves, and clients that accept only the service that they call. */
import { createSecureContext, type PeerCertificate, type SecureContextOptions } from 'node:tls';
import { type ChannelCredentials, credentials, ServerCredentials } from '@grpc/grpc-js';
import { type Certificates, splitPem, type TlsMaterial } from './certificates.ts';
import { identityOf, identityOfPem } from './service-identity.ts';

function contextOf({ cert, key, ca }: TlsMaterial): SecureContextOptions {
  return {
    ca: splitPem(ca),
    minVersion: 'TLSv1.3',
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

/**
 * The server asks for a certificate and does not require one: operators and health checks have none. The access table decides which
 * RPCs need it. A renewal is for new connections, and leaves open ones alone.
 */
export function serverCredentials(certificates: Certificates): ServerCredentials {
  return new RenewedServerCredentials(certificates);
}

class RenewedServerCredentials extends ServerCredentials {
  constructor(certificates: Certificates) {
    super({ requestCert: true, rejectUnauthorized: false }, contextOf(certificates.current()));
    certificates.onChange((material) => this.updateSecureContextOptions(contextOf(material)));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/**
 * Credentials for connections to one service. A valid certificate of any other service is refused, so that no service can stand in for
 * another. grpc-js shares connections between channels with equal credentials. These are equal only to themselves.
 */
export function channelCredentials(material: TlsMaterial, service: string): ChannelCredentials {
  const own = identityOfPem(material.cert);
  return credentials.createFromSecureContext(createSecureContext(contextOf(material)), {
    checkServerIdentity: (_host: string, { subjectaltname }: PeerCertificate) => {
      const peer = identityOf(subjectaltname);
      const isExpected = peer?.service === service && (!own || own.trustDomain === peer.trustDomain);
      return isExpected ? undefined : new Error(`The server has no certificate of the service ${service}.`);
    },
  });
}
