/** TLS to the services: checks their certificates, and optionally sends one. */
import { readFileSync } from 'node:fs';
import type { PeerCertificate } from 'node:tls';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

/** The authorities of the services. `make up` writes it. */
const CA_FILE = process.env.SERVICES_CA_FILE ?? new URL('../../.local/tls/services/ca.pem', import.meta.url);

/** PEM. */
export interface ClientCertificate {
  cert: string;
  key: string;
}

/** TLS does not allow IP addresses as names of servers. */
export const NAMED = { 'grpc.ssl_target_name_override': 'payflowx' };

/** `contract` is the full name of a gRPC service, such as `payflowx.payment.v1.PaymentService`. */
export function credentialsFor(contract: string, client?: ClientCertificate): ChannelCredentials {
  return accepting(`/svc/${contract.split('.')[1]}`, client);
}

/** For reflection, which finds out who answers. */
export function anyService(): ChannelCredentials {
  return accepting('');
}

function accepting(end: string, client?: ClientCertificate): ChannelCredentials {
  const key = client ? Buffer.from(client.key) : null;
  const cert = client ? Buffer.from(client.cert) : null;
  return credentials.createSsl(readFileSync(CA_FILE), key, cert, {
    checkServerIdentity: (_host: string, { subjectaltname = '' }: PeerCertificate) => {
      const [id] = subjectaltname.split(', ').filter((name) => name.startsWith('URI:spiffe://'));
      return id?.endsWith(end)
        ? undefined
        : new Error(`The certificate is of ${subjectaltname}, not of …${end}.`);
    },
  });
}
