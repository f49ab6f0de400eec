/** A certificate authority for tests. It issues the certificates that Consul's CA would issue, and wrong ones. */
import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { TlsMaterial } from '../tls/certificates.ts';

export interface TestAuthority {
  /** PEM. */
  ca: string;
  issue(wanted: WantedCertificate): Promise<Required<TlsMaterial>>;
}

export interface WantedCertificate {
  service: string;
  trustDomain?: string;
  /** Default: in three days. */
  notAfter?: Date;
  /** An IP address, for a server that its clients verify by its address. */
  address?: string;
}

export const TEST_TRUST_DOMAIN = 'tests.payflowx';
type GeneralNames = { type: 'url' | 'ip'; value: string }[];

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 24 * 60 * 60 * 1000;

export async function createTestAuthority(): Promise<TestAuthority> {
  const now = Date.now();
  const validity = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + 3 * DAY_MS) };
  const keys = await newKeys();
  const root = await X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: 'CN=PayFlowX test CA',
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      // All authorities have one name. Without the ids of their keys, OpenSSL would take the first that it knows.
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const ca = root.toString('pem');
  return {
    ca,
    async issue({ service, trustDomain = TEST_TRUST_DOMAIN, notAfter = validity.notAfter, address }) {
      const { publicKey, privateKey } = await newKeys();
      const id = `spiffe://${trustDomain}/ns/default/dc/dc1/svc/${service}`;
      const names: GeneralNames = [{ type: 'url', value: id }];
      if (address !== undefined) names.push({ type: 'ip', value: address });
      const certificate = await X509CertificateGenerator.create({
        notBefore: validity.notBefore,
        notAfter,
        issuer: root.subject,
        publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          await AuthorityKeyIdentifierExtension.create(keys.publicKey),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
          new SubjectAlternativeNameExtension(names, true),
        ],
      });
      const key = KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
      return { cert: certificate.toString('pem'), key, ca };
    },
  };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, [
    'sign',
    'verify',
  ]) as Promise<webcrypto.CryptoKeyPair>;
}
