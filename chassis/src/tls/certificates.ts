/** The certificate of this process, and the CAs that it trusts. Both are renewed while the process runs. */
import { createPrivateKey, X509Certificate } from 'node:crypto';

/** All values are PEM. */
export interface TlsMaterial {
  /** The certificate, followed by its intermediate CAs. Undefined for a client that has only an access token. */
  cert?: string;
  key?: string;
  /** All trusted CAs. */
  ca: string;
}

export interface Certificates {
  current(): TlsMaterial;
  /** Calls the listener at every renewal. Returns a function that removes it. */
  onChange(listener: (material: TlsMaterial) => void): () => void;
  /** Ends the renewal. The present certificate stays. */
  stop(): void;
}

export interface RenewableCertificates extends Certificates {
  renew(next: TlsMaterial): void;
}

/** Keeps the newest material for its users. `stop` ends the source of renewals. */
export function renewableCertificates(
  first: TlsMaterial,
  stop: () => void = () => {},
): RenewableCertificates {
  const listeners = new Set<(material: TlsMaterial) => void>();
  let current = first;
  return {
    current: () => current,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    renew(next) {
      if (next.cert === current.cert && next.key === current.key && next.ca === current.ca) return;
      current = next;
      for (const listener of listeners) listener(next);
    },
    stop,
  };
}

/** Throws if a part cannot be read, or if the key does not belong to the certificate. */
export function requireUsable({ cert, key, ca }: TlsMaterial): void {
  for (const pem of splitPem(ca)) new X509Certificate(pem);
  if (cert === undefined || key === undefined) return;
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new Error('The private key does not belong to the certificate.');
  }
}

/** The certificates in a file. OpenSSL ignores all after the first one if there is no line break between them. */
export function splitPem(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
