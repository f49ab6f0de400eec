import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testServers } from '@payflowx/chassis/testing';
import pg from 'pg';
import { expect, it } from 'vitest';
import { ensureCertificates } from '../tls/tls-files.ts';

/** Connects with other TLS settings, and returns the problem. Undefined: connected. */
async function problemWith(
  parameters: Record<string, string>,
  host = '127.0.0.1',
): Promise<string | undefined> {
  const url = new URL(testServers.postgresAdminUrl());
  url.hostname = host;
  url.search = new URLSearchParams(parameters).toString();
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.end().catch(() => {});
  }
}

const given = new URL(testServers.postgresAdminUrl()).searchParams;
const sslrootcert = given.get('sslrootcert') ?? '';

it.runIf(sslrootcert)('refuses a client without TLS, also with the right password', async () => {
  expect(await problemWith({ sslmode: 'disable' })).toMatch(/no pg_hba.conf entry .* no encryption/);
  expect(await problemWith({ sslmode: 'verify-full', sslrootcert })).toBeUndefined();
});

it.runIf(sslrootcert)('is refused by a client that trusts another authority', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tls-'));
  await ensureCertificates(folder);
  const problem = await problemWith({ sslmode: 'verify-full', sslrootcert: join(folder, 'ca.pem') });
  expect(problem).toMatch(/unable to verify the first certificate/);
  await rm(folder, { recursive: true });
});
