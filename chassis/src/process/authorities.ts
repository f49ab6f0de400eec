/** The certificate authorities that a client trusts. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from './environment.ts';

/** `ca` is PEM. Without it, the authorities that Node trusts. It may change: read it for each new connection. */
export interface Authorities {
  readonly ca?: string;
}

/**
 * Reads the file that the setting `name` names. Throws ConfigError if it has no certificate. An empty path means none.
 *
 * Later the file is read again for each new connection, because another program replaces it when an authority is renewed. While it cannot
 * be read or has no certificate, the last content counts.
 */
export function readAuthorities(name: string, path: string): Authorities {
  if (path === '') return {};
  let last: string;
  try {
    last = readCertificates(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigError([`${name} ${path} is no file with certificates in PEM: ${code ?? message}`]);
  }
  return {
    get ca() {
      try {
        last = readCertificates(path);
      } catch {
        // It is being replaced.
      }
      return last;
    },
  };
}

function readCertificates(path: string): string {
  const ca = readFileSync(path, 'utf8');
  new X509Certificate(ca);
  return ca;
}

/**
 * Options of TLS connections, for a library that keeps them for all its connections and reads `ca` for each. A class, because Rascal
 * copies plain objects.
 */
export class TlsOptions {
  readonly ca?: string;
  constructor(authorities: Authorities, others: object = {}) {
    Object.assign(this, others);
    if (!('ca' in authorities)) return;
    Object.defineProperty(this, 'ca', { enumerable: true, get: () => authorities.ca });
  }
}
