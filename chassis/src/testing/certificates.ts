/**
 * A certificate for each service, from one CA. They are in a private folder, because a service in its own process needs files, and
 * because issuing them for each test file would cost more than most tests.
 */
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { type Certificates, renewableCertificates } from '../tls/certificates.ts';
import { channelCredentials } from '../tls/credentials.ts';

const SERVICES = [
  'gateway',
  'auth',
  'authorization',
  'payment',
  'ledger',
  'notification',
  'analytics',
] as const;
export type TestService = (typeof SERVICES)[number];

/** Issued once a day. They are valid for three. */
const day = new Date().toISOString().slice(0, 10);
const folder = join(tmpdir(), `payflowx-test-certificates-${process.getuid?.() ?? 0}-${day}`);
if (!isOurs(folder)) await issueAll();

/** The certificate of a service. Without a name: no certificate, and only the trusted CA, as an operator's grpcurl has. */
export function testCertificates(service?: TestService): Certificates {
  const ca = read('ca.pem');
  if (service === undefined) return renewableCertificates({ ca });
  return renewableCertificates({ cert: read(`${service}.pem`), key: read(`${service}.key`), ca });
}

/** The credentials of a client without retries and balancing, which reaches `service`. */
export function testCredentials(service: TestService, as?: TestService): ChannelCredentials {
  return channelCredentials(testCertificates(as).current(), service);
}

/** The variables of a service in a process of its own. */
export function testTlsEnvironment(service: TestService): Record<string, string> {
  return {
    TLS_CERT_FILE: join(folder, `${service}.pem`),
    TLS_KEY_FILE: join(folder, `${service}.key`),
    TLS_CA_FILE: join(folder, 'ca.pem'),
  };
}

function read(file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}

function isOurs(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found && found.uid !== process.getuid?.())
    throw new Error(`${path} belongs to another user. Remove it.`);
  return found !== undefined;
}

/** Files that run at the same time issue at the same time. The first to rename its folder wins. */
async function issueAll(): Promise<void> {
  const { createTestAuthority } = await import('./authority.ts');
  const authority = await createTestAuthority();
  const fresh = mkdtempSync(`${folder}-`);
  const write = (file: string, pem: string) => writeFileSync(join(fresh, file), pem, { mode: 0o600 });
  write('ca.pem', authority.ca);
  for (const service of SERVICES) {
    const { cert, key } = await authority.issue({ service });
    write(`${service}.pem`, cert);
    write(`${service}.key`, key);
  }
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true });
    if (!isOurs(folder)) throw error;
  }
}
