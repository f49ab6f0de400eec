/**
 * The certificates of the services, from an authority of their own: servers have another, and Consul's Connect CA is a third, which no
 * service trusts.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { local } from '../paths.ts';
import { type Identity, uriOf } from '../tls/certificates.ts';
import { ensureIdentities } from '../tls/tls-files.ts';

const FOLDER = join(local, 'tls/services');

/** The variables of a service. Its file has both the key and the certificate, so that one rename replaces both. */
export function certificateFiles(service: string): Record<string, string> {
  const identity = join(FOLDER, `${service}.pem`);
  return { TLS_CERT_FILE: identity, TLS_KEY_FILE: identity, TLS_CA_FILE: join(FOLDER, 'ca.pem') };
}

/** Creates what is missing, and renews what expires soon. Running services read it within seconds. */
export function ensureServiceCertificates(services: readonly string[]): Promise<void> {
  return ensureIdentities(FOLDER, {
    authority: { name: 'PayFlowX services of this checkout', uri: `spiffe://${randomUUID()}.consul` },
    certificates: (authority) => services.map((name) => ({ name, uri: spiffeId(authority, name) })),
  });
}

/** In the form of Consul's Connect CA. */
function spiffeId(authority: Identity, service: string): string {
  return `${uriOf(authority)}/ns/default/dc/dc1/svc/${service}`;
}
