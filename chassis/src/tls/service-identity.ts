/**
 * The identity in a certificate: a SPIFFE id of the form `spiffe://<trust domain>/…/svc/<service>`, as Consul's CA issues them
 * (https://spiffe.io/docs/latest/spiffe-specs/x509-svid/).
 */
import { X509Certificate } from 'node:crypto';

export interface ServiceIdentity {
  trustDomain: string;
  service: string;
}

const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]+)(?:\/[A-Za-z0-9._-]+)*\/svc\/([a-z0-9-]+)$/;

/**
 * Returns the identity in a subject alternative name, as Node writes it. Returns undefined for any other certificate, and for one with
 * two URIs: a SPIFFE certificate has exactly one.
 */
export function identityOf(subjectAltName: string | undefined): ServiceIdentity | undefined {
  // Node quotes names with unusual characters. No id of ours has any.
  if (subjectAltName === undefined || subjectAltName.includes('"')) return undefined;
  const uris = subjectAltName.split(', ').flatMap((name) => (name.startsWith('URI:') ? name.slice(4) : []));
  const [, trustDomain, service] = (uris.length === 1 && uris[0]?.match(SPIFFE_ID)) || [];
  return trustDomain && service ? { trustDomain, service } : undefined;
}

/** The identity in a certificate of our own. */
export function identityOfPem(pem: string | undefined): ServiceIdentity | undefined {
  return pem === undefined ? undefined : identityOf(new X509Certificate(pem).subjectAltName);
}
