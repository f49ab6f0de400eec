/** Creates the certificate authority of this checkout, and the certificates that it signs. */
import 'reflect-metadata'; // @peculiar/x509 needs it first.
import * as x509 from '@peculiar/x509';

/** A certificate with its private key. `pem` has both, so that one rename of a file replaces both. */
export interface Identity {
  readonly pem: string;
  readonly certificate: x509.X509Certificate;
  readonly privateKey: PrivateKey;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const AUTHORITY_DAYS = 10 * 365;
const CERTIFICATE_DAYS = 365;
/** Clocks of two machines may differ. */
const BACKDATED_MS = 60 * 60 * 1_000;

const KEY = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;

const newKeys = () => crypto.subtle.generateKey(KEY, true, ['sign', 'verify']);
type PrivateKey = Awaited<ReturnType<typeof newKeys>>['privateKey'];

function validity(days: number, now: Date) {
  const start = now.getTime() - BACKDATED_MS;
  return { notBefore: new Date(start), notAfter: new Date(start + days * DAY_MS) };
}

/** The names that a certificate is for. */
export interface Named {
  readonly name: string;
  /** An address beside the names, such as a SPIFFE id. */
  readonly uri?: string;
}

const addressOf = ({ uri }: Named) => (uri === undefined ? [] : [{ type: 'url' as const, value: uri }]);

/** Creates an authority. It can sign certificates of servers and clients, and no further authority. */
export async function createAuthority(named: Named, now = new Date()): Promise<Identity> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${named.name}`,
    keys,
    signingAlgorithm: SIGNATURE,
    ...validity(AUTHORITY_DAYS, now),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(named.uri === undefined ? [] : [new x509.SubjectAlternativeNameExtension(addressOf(named))]),
    ],
  });
  return identity(certificate, keys.privateKey);
}

/** Creates a key and its certificate for `name`, valid for connections to the loopback address and to a host of that name. */
export async function createCertificate(
  authority: Identity,
  named: Named,
  now = new Date(),
): Promise<Identity> {
  const { name } = named;
  const keys = await newKeys();
  const { ExtendedKeyUsage } = x509;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: SIGNATURE,
    ...validity(CERTIFICATE_DAYS, now),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...addressOf(named),
        { type: 'dns', value: name },
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return identity(certificate, keys.privateKey);
}

/** Reads what `pem` of an identity has. Throws if a part is missing. */
export async function readIdentity(pem: string): Promise<Identity> {
  const [key] = x509.PemConverter.decodeWithHeaders(pem).filter(({ type }) => type === 'PRIVATE KEY');
  const [certificate] = x509.PemConverter.decodeWithHeaders(pem).filter(({ type }) => type === 'CERTIFICATE');
  if (!key || !certificate) throw new Error('The file has no private key and certificate.');
  return {
    pem,
    certificate: new x509.X509Certificate(certificate.rawData),
    privateKey: await crypto.subtle.importKey('pkcs8', key.rawData, KEY, true, ['sign']),
  };
}

/** Returns the URI that the certificate names. */
export function uriOf({ certificate }: Identity): string | undefined {
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  return names.find(({ type }) => type === 'url')?.value;
}

/** True in the last third of its time. */
export function isDue({ certificate: { notBefore, notAfter } }: Identity, now = new Date()): boolean {
  const lifetimeMs = notAfter.getTime() - notBefore.getTime();
  return notAfter.getTime() - now.getTime() < lifetimeMs / 3;
}

/** True if this authority signed the certificate. */
export function isSignedBy({ certificate }: Identity, authority: Identity): Promise<boolean> {
  return certificate.verify({ publicKey: authority.certificate.publicKey, signatureOnly: true });
}

async function identity(certificate: x509.X509Certificate, privateKey: PrivateKey): Promise<Identity> {
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY');
  return { pem: `${key}\n${certificate.toString('pem')}\n`, certificate, privateKey };
}
