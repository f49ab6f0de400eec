/** The certificates of this checkout in `.local/tls`: created once, and renewed before they expire. */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { local } from '../paths.ts';
import {
  createAuthority,
  createCertificate,
  type Identity,
  isDue,
  isSignedBy,
  type Named,
  readIdentity,
} from './certificates.ts';

/** `kafka-admin` is the client certificate of the provisioning: Kafka knows it as its administrator. */
const NAMES = ['postgres', 'kafka', 'kafka-admin', 'rabbitmq', 'consul'] as const;
export type CertificateName = (typeof NAMES)[number];

const AUTHORITY = 'authority.pem';

/** The certificate of the authority. It is all that clients need. */
export const caFile = join(local, 'tls/ca.pem');

/** A private key and its certificate, in one file. */
export const identityFile = (name: CertificateName): string => join(local, 'tls', `${name}.pem`);

/** The certificates of the servers. */
export function ensureCertificates(folder = join(local, 'tls'), now = new Date()): Promise<void> {
  const certificates = () => NAMES.map((name) => ({ name }));
  return ensureIdentities(folder, { authority: { name: 'PayFlowX local CA' }, certificates }, now);
}

interface Wanted {
  authority: Named;
  /** The certificates that the authority signs. Each has a file of its name. */
  certificates(authority: Identity): Named[];
}

/** Creates what is missing in the folder, and renews what expires soon. A new authority renews all. */
export async function ensureIdentities(folder: string, wanted: Wanted, now = new Date()): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o700);
  const known = await read(join(folder, AUTHORITY));
  const authority = known && !isDue(known, now) ? known : await createAuthority(wanted.authority, now);
  await save(join(folder, AUTHORITY), authority.pem);
  await save(join(folder, 'ca.pem'), `${authority.certificate.toString('pem')}\n`);
  await Promise.all(
    wanted.certificates(authority).map((named) => ensureCertificate(folder, named, authority, now)),
  );
}

async function ensureCertificate(
  folder: string,
  named: Named,
  authority: Identity,
  now: Date,
): Promise<void> {
  const path = join(folder, `${named.name}.pem`);
  const known = await read(path);
  if (known && !isDue(known, now) && (await isSignedBy(known, authority))) return;
  await save(path, (await createCertificate(authority, named, now)).pem);
}

/** Undefined if there is none, or if it cannot be read: then it is made again. */
async function read(path: string): Promise<Identity | undefined> {
  return readFile(path, 'utf8')
    .then(readIdentity)
    .catch(() => undefined);
}

async function save(path: string, contents: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => '')) === contents) return;
  await writeFile(`${path}.new`, contents, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
