/** When the certificates of this process expire. */
import { X509Certificate } from 'node:crypto';
import { gauges } from '../telemetry/metrics.ts';
import type { Certificates } from './certificates.ts';

/** `use` is `service` between services and `https` for clients. Returns the certificates. */
export function measureCertificate<C extends Certificates>(use: 'service' | 'https', certificates: C): C {
  gauges(
    {
      'payflowx.certificate.expiry.timestamp': {
        description: 'The end of the certificate, in seconds since 1970',
        unit: 's',
      },
      'payflowx.certificate.lifetime': {
        description: 'From the start to the end of the certificate',
        unit: 's',
      },
    },
    () => {
      const { cert } = certificates.current();
      if (cert === undefined) return [];
      const { validFrom, validTo } = new X509Certificate(cert);
      const endS = Date.parse(validTo) / 1_000;
      const lifetimeS = endS - Date.parse(validFrom) / 1_000;
      return [
        { name: 'payflowx.certificate.expiry.timestamp', value: endS, labels: { use } },
        { name: 'payflowx.certificate.lifetime', value: lifetimeS, labels: { use } },
      ];
    },
  );
  return certificates;
}
