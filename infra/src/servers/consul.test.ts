import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { rootCertificates } from 'node:tls';
import { expect, it } from 'vitest';
import { ask, type ConsulUser } from '../provision/consul.ts';
import { caFile } from '../tls/tls-files.ts';
import { readAddresses } from './start.ts';

const { consul: clients } = await readAddresses();
const url = clients?.analytics.CONSUL_URL ?? '';
const test = it.runIf(url.startsWith('https:') && clients?.analytics.CONSUL_CA_FILE === caFile);

const access = (user: ConsulUser | 'nobody') => ({
  url,
  caFile,
  token: user === 'nobody' ? '' : (clients?.[user].CONSUL_TOKEN ?? ''),
});

const refusalOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'not refused',
    (error) => error.message,
  );

/** Registers an instance, and removes it again. */
async function register(user: ConsulUser | 'nobody', name: string): Promise<string> {
  const instance = { Name: name, ID: `${name}-test-of-${user}`, Address: '127.0.0.1', Port: 1 };
  const refusal = await refusalOf(ask(access(user), 'PUT', '/v1/agent/service/register', instance));
  if (refusal === 'not refused')
    await ask(access(user), 'PUT', `/v1/agent/service/deregister/${instance.ID}`);
  return refusal;
}

test('lets a service register its own name only', async () => {
  expect(await register('analytics', 'authorization')).toContain('403');
  expect(await register('analytics', 'analytics-2')).toContain('403');
  expect(await register('tests', 'authorization')).toContain('403');
  expect(await register('reader', 'test-who')).toContain('403');
  expect(await register('nobody', 'analytics')).toContain('403');
  expect(await register('tests', 'test-who')).toBe('not refused');
});

// Names that no service has: the agent gives a certificate that it has already to every client (docs/operators/service-identity.md),
// and `e2e/` tries to get those of the services.
test('signs for a client a certificate of its own name only', async () => {
  const leaf = (user: ConsulUser, name: string) =>
    ask(access(user), 'GET', `/v1/agent/connect/ca/leaf/${name}`);
  expect(await refusalOf(leaf('analytics', 'analytics-2'))).toContain('403');
  expect(await leaf('tests', 'test-leaf')).toMatchObject({ Service: 'test-leaf' });
  expect(await refusalOf(leaf('tests', 'analytics-2'))).toContain('403');
});

test('lets a service read all others, and write nothing else', async () => {
  expect(await ask(access('analytics'), 'GET', '/v1/health/service/payment')).toBeInstanceOf(Array);
  expect(await refusalOf(ask(access('analytics'), 'PUT', '/v1/kv/x', {}))).toContain('403');
  expect(await refusalOf(ask(access('analytics'), 'GET', '/v1/acl/tokens'))).toContain('403');
});

test('does not answer without TLS', async () => {
  const answered = new Promise<number>((resolve, reject) => {
    const plain = url.replace('https:', 'http:');
    const asked = request(`${plain}/v1/status/leader`, ({ statusCode = 0 }) => resolve(statusCode));
    asked.on('error', reject).end();
  });
  // Go's server answers 400 to a request in plaintext, and no more.
  expect(await answered).toBe(400);
});

test('is refused by a client that does not trust its authority', async () => {
  const { get } = await import('node:https');
  const attempt = (ca: string | readonly string[]) =>
    new Promise((resolve, reject) => {
      get(`${url}/v1/status/leader`, { ca: [ca].flat() as string[] }, resolve).on('error', reject);
    });
  expect(await refusalOf(attempt(rootCertificates))).toMatch(/certificate/);
  expect(await refusalOf(attempt(readFileSync(caFile, 'utf8')))).toBe('not refused');
});
