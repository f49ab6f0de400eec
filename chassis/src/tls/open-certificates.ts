/** Chooses the source of certificates: files, or Consul's Connect CA. */
import { type ConsulConnection, watchConnectCertificate } from '@payflowx/registry';
import { ConfigError } from '../process/environment.ts';
import type { Logger } from '../telemetry/log.ts';
import { measureCertificate } from './certificate-metrics.ts';
import { type Certificates, type RenewableCertificates, renewableCertificates } from './certificates.ts';
import { fileCertificates, type TlsFiles } from './file-certificates.ts';

export interface CertificateSettings {
  /** Undefined: the Connect CA of Consul. */
  files: TlsFiles | undefined;
  consul: ConsulConnection;
}

/** Waits until there is a certificate: a service cannot identify itself without one. Throws ConfigError if no source is set. */
export async function openCertificates(
  service: string,
  { files, consul }: CertificateSettings,
  log: Logger,
): Promise<Certificates> {
  const certificates = files ? fileCertificates(files, log) : connectCertificates(service, consul, log);
  return measureCertificate('service', await certificates);
}

async function connectCertificates(
  service: string,
  consul: ConsulConnection,
  log: Logger,
): Promise<Certificates> {
  if (consul.url !== '') return consulCertificates(service, consul, log);
  throw new ConfigError([
    'CONSUL_URL or TLS_CERT_FILE must be set: the certificate of the service is read there',
  ]);
}

/** The agent renews the certificate before it expires. While Consul is unavailable, the present certificate stays. */
export async function consulCertificates(
  service: string,
  consul: ConsulConnection,
  log: Logger,
): Promise<Certificates> {
  const { promise: first, resolve } = Promise.withResolvers<RenewableCertificates>();
  let certificates: RenewableCertificates | undefined;
  const stop = watchConnectCertificate({ consul, log }, service, (material) => {
    if (certificates === undefined) {
      certificates = renewableCertificates(material, stop);
      resolve(certificates);
    } else {
      certificates.renew(material);
    }
  });
  const opened = await first;
  opened.onChange(() => log.info({ service }, 'the certificate was renewed'));
  return opened;
}
