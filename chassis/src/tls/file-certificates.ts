/** Certificates in files, which another program renews: cert-manager, Vault, or an operator. */
import { readFile } from 'node:fs/promises';
import { repeat } from '../process/repeat.ts';
import type { Logger } from '../telemetry/log.ts';
import {
  type Certificates,
  renewableCertificates,
  requireUsable,
  splitPem,
  type TlsMaterial,
} from './certificates.ts';

export interface TlsFiles {
  certFile: string;
  keyFile: string;
  /** Undefined: no other side is verified, as by a server for browsers. */
  caFile?: string;
}

/**
 * The files are read again at this interval. Notices of the file system are not enough: Kubernetes replaces a symbolic link two folders
 * above, and other programs rename.
 */
const READ_EVERY_MS = 5_000;

/** Rejects if the files cannot be used at the start. Later, files that do not fit together are ignored until they do. */
export async function fileCertificates(
  files: TlsFiles,
  log: Logger,
  { readEveryMs = READ_EVERY_MS } = {},
): Promise<Certificates> {
  let reported: string | undefined;
  const certificates = renewableCertificates(await readFiles(files), () => void reading.stop());
  certificates.onChange(() => log.info(files, 'the certificate was renewed'));

  async function read(): Promise<boolean> {
    try {
      certificates.renew(await readFiles(files));
      reported = undefined;
    } catch (error) {
      // A renewal in progress: the new certificate is there, and its key is not yet.
      const { message } = error as Error;
      if (message !== reported)
        log.warn({ ...files, err: error }, 'cannot use the new certificate; keeping the present one');
      reported = message;
    }
    return false;
  }
  const reading = repeat('the renewal of the certificate', readEveryMs, read, log);
  return certificates;
}

async function readFiles({ certFile, keyFile, caFile }: TlsFiles): Promise<TlsMaterial> {
  const [cert, key, ca] = await Promise.all([
    readFile(certFile, 'utf8'),
    readFile(keyFile, 'utf8'),
    caFile === undefined ? '' : readFile(caFile, 'utf8'),
  ]);
  const material = { cert, key, ca };
  requireUsable(material);
  if (caFile !== undefined && splitPem(ca).length === 0) throw new Error(`${caFile} has no certificate.`);
  return material;
}
