/** Identity by certificates: which callers and servers are accepted, and the renewal of certificates under load. */
import { mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, status } from '@grpc/grpc-js';
import { AuthServiceClient, AuthServiceService, User } from '@payflowx/proto/auth';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Access, type Call, connectGrpc, renewableCertificates, serveGrpc } from '../src/index.ts';
import {
  createTestAuthority,
  createTestIdentity,
  eventually,
  fakeService,
  PATIENCE_MS,
  recordingLog,
  type TestAuthority,
  testLog,
} from '../src/testing/index.ts';
import type { Certificates, TlsMaterial } from '../src/tls/certificates.ts';
import { fileCertificates } from '../src/tls/file-certificates.ts';
import { identityOf } from '../src/tls/service-identity.ts';

const { verifier, tokenFor } = createTestIdentity();
const deadlineMs = PATIENCE_MS;
let authority: TestAuthority;
beforeAll(async () => {
  authority = await createTestAuthority();
});
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const onlyPayment: Access = { services: ['payment'] };

/** Serves `getMe`, whose username is the service that calls. */
async function serve(certificates: Certificates, access: Access = onlyPayment, log = testLog) {
  const getMe = async (_: object, { service = 'nobody' }: Call) => ({
    user: { ...User.decode(new Uint8Array()), username: service },
  });
  const settings = { host: '127.0.0.1', port: 0, reflection: false, verifier, pageTokenKey: undefined, log };
  const server = await serveGrpc({ ...settings, certificates }, [
    fakeService(AuthServiceService, { getMe }, { access }),
  ]);
  closing.push(() => server.drain());
  return `127.0.0.1:${server.port}`;
}

function connect(target: string, certificates: Certificates) {
  const client = connectGrpc(AuthServiceClient, { target, certificates, retryable: [] });
  closing.push(() => client.close());
  return async (accessToken?: string) => (await client.getMe({}, { deadlineMs, accessToken })).user?.username;
}

const certified = async (service: string, more = {}) =>
  renewableCertificates(await authority.issue({ service, ...more }));

describe('a caller', () => {
  it('is the service in its certificate, and any other service is refused', async () => {
    const target = await serve(await certified('auth'));
    expect(await connect(target, await certified('payment'))()).toBe('payment');
    await expect(connect(target, await certified('analytics'))()).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'SERVICE_NOT_ALLOWED',
    });
  });

  const nobody = { code: status.UNAUTHENTICATED, reason: 'UNAUTHENTICATED' };
  it.each([
    ['without a certificate', async () => ({ ca: authority.ca })],
    ['of another trust domain', () => authority.issue({ service: 'payment', trustDomain: 'other.domain' })],
    [
      'with an expired certificate',
      () => authority.issue({ service: 'payment', notAfter: new Date(Date.now() - 1_000) }),
    ],
    [
      'of an authority that is not trusted',
      async () => ({
        ...(await (await createTestAuthority()).issue({ service: 'payment' })),
        ca: authority.ca,
      }),
    ],
  ])('%s is nobody', async (_, material: () => Promise<TlsMaterial>) => {
    const target = await serve(await certified('auth'));
    // A client of one trust domain does not accept a server of another. So it must be one that does not check.
    const { cert, key, ca } = await material();
    const client = new AuthServiceClient(
      target,
      credentials.createSsl(
        Buffer.from(ca),
        key === undefined ? null : Buffer.from(key),
        cert === undefined ? null : Buffer.from(cert),
        { checkServerIdentity: () => undefined },
      ),
      { 'grpc.ssl_target_name_override': 'auth' },
    );
    closing.push(() => client.close());
    const call = new Promise((resolve, reject) =>
      client.getMe({}, (error, answer) => (error ? reject(error) : resolve(answer))),
    );
    await expect(call).rejects.toMatchObject({ code: nobody.code });
  });

  it('with a token is its user, and a service with a token too, except where only services may call', async () => {
    const operator = await tokenFor({ id: 'usr_1', roles: ['operator'] });
    const both: Access = { roles: ['operator'], scope: 'payments:read', services: ['payment'] };
    const target = await serve(await certified('auth'), both);
    const ledger = connect(target, await certified('ledger'));
    expect(await ledger(operator)).toBe('ledger');
    await expect(ledger()).rejects.toMatchObject(nobody);
    const payment = connect(target, await certified('payment'));
    expect(await payment()).toBe('payment');
    await expect(payment(await tokenFor({ id: 'usr_1', roles: ['customer'] }))).rejects.toMatchObject({
      reason: 'ROLE_NOT_ALLOWED',
    });
    const user = connect(await serve(await certified('auth')), renewableCertificates({ ca: authority.ca }));
    await expect(user(operator)).rejects.toMatchObject({ reason: 'ROLE_NOT_ALLOWED' });
  });

  it('loses its identity when its certificate expires, and has it again with a new one', async () => {
    const target = await serve(await certified('auth'));
    const soon = { service: 'payment', notAfter: new Date(Date.now() + 3_000) };
    const certificates = renewableCertificates(await authority.issue(soon));
    const call = connect(target, certificates);
    await eventually(() => expect(call()).rejects.toMatchObject(nobody));
    certificates.renew(await authority.issue({ service: 'payment' }));
    expect(await call()).toBe('payment');
  });
});

describe('a server', () => {
  it.each([
    ['of another service', () => authority.issue({ service: 'analytics' })],
    ['of another trust domain', () => authority.issue({ service: 'auth', trustDomain: 'other.domain' })],
    [
      'of an authority that is not trusted',
      async () => (await createTestAuthority()).issue({ service: 'auth' }),
    ],
  ])('with the certificate %s gets no call', async (_, material) => {
    const target = await serve(renewableCertificates(await material()), 'anyone');
    await expect(connect(target, await certified('payment'))()).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
  });

  it('does not speak plaintext', async () => {
    const client = new AuthServiceClient(
      await serve(await certified('auth'), 'anyone'),
      credentials.createInsecure(),
    );
    closing.push(() => client.close());
    const call = new Promise((resolve, reject) =>
      client.getMe({}, (error, answer) => (error ? reject(error) : resolve(answer))),
    );
    await expect(call).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});

it.each([
  ['URI:spiffe://x.consul/ns/default/dc/dc1/svc/payment', 'payment'],
  ['DNS:payment, URI:spiffe://x.consul/svc/payment, IP Address:127.0.0.1', 'payment'],
  ['URI:spiffe://x.consul/svc/payment, URI:spiffe://x.consul/svc/ledger', undefined],
  ['URI:spiffe://x.consul/svc/payment/x', undefined],
  ['URI:spiffe://x.consul/sa/payment', undefined],
  ['URI:https://x.consul/svc/payment', undefined],
  ['DNS:"payment, URI:spiffe://x.consul/svc/payment"', undefined],
  ['DNS:payment', undefined],
])('%s names the service %s', (subjectAltName, service) => {
  expect(identityOf(subjectAltName)?.service).toBe(service);
});

/** A folder with the files of a service, which are replaced in several ways. */
async function makeFiles(first: Required<TlsMaterial>) {
  const folder = await mkdtemp(join(tmpdir(), 'certificates-'));
  closing.push(() => rm(folder, { recursive: true }));
  const write = async (to: string, { cert, key, ca }: Required<TlsMaterial>) => {
    const versions = await mkdtemp(join(folder, 'version-'));
    const files = { 'cert.pem': cert, 'key.pem': key, 'ca.pem': ca };
    for (const [name, pem] of Object.entries(files)) await writeFile(join(versions, name), pem);
    await symlink(versions, join(folder, `${to}.new`));
    await rename(join(folder, `${to}.new`), join(folder, to));
  };
  await write('current', first);
  const at = (name: string) => join(folder, 'current', name);
  return {
    files: { certFile: at('cert.pem'), keyFile: at('key.pem'), caFile: at('ca.pem') },
    /** Like Kubernetes: a link to a folder with all files is replaced. */
    swapLink: (material: Required<TlsMaterial>) => write('current', material),
    /** Like most programs: each file is renamed, one after the other. */
    async renameEach({ cert, key, ca }: Required<TlsMaterial>) {
      for (const [name, pem] of [
        ['cert.pem', cert],
        ['key.pem', key],
        ['ca.pem', ca],
      ] as const) {
        await writeFile(`${at(name)}.new`, pem);
        await rename(`${at(name)}.new`, at(name));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}

describe('certificates in files', () => {
  it('are renewed under load without a failed call, and so is the authority', async () => {
    const serverFiles = await makeFiles(await authority.issue({ service: 'auth' }));
    const clientFiles = await makeFiles(await authority.issue({ service: 'payment' }));
    const often = { readEveryMs: 5 };
    const server = await fileCertificates(serverFiles.files, testLog, often);
    const client = await fileCertificates(clientFiles.files, testLog, often);
    closing.push(server.stop, client.stop);
    let renewals = 0;
    client.onChange(() => (renewals += 1));
    server.onChange(() => (renewals += 1));
    const call = connect(await serve(server), client);

    let isLoaded = true;
    let calls = 0;
    const load = Array.from({ length: 8 }, async () => {
      while (isLoaded) {
        expect(await call()).toBe('payment');
        calls += 1;
      }
    });
    const next = await createTestAuthority();
    // An authority is replaced in three steps: both are trusted, the new one signs, the old one is dropped.
    const both = authority.ca + next.ca;
    const steps = [
      ...Array.from({ length: 5 }, () => ({ signer: authority, ca: authority.ca })),
      { signer: authority, ca: both },
      { signer: next, ca: both },
      { signer: next, ca: next.ca },
    ];
    for (const [index, { signer, ca }] of steps.entries()) {
      const replace = index % 2 ? 'renameEach' : 'swapLink';
      const before = renewals;
      await serverFiles[replace]({ ...(await signer.issue({ service: 'auth' })), ca });
      await clientFiles[replace]({ ...(await signer.issue({ service: 'payment' })), ca });
      await eventually(() => expect(renewals).toBeGreaterThanOrEqual(before + 2));
      await eventually(async () => {
        expect(server.current().ca).toBe(ca);
        expect(client.current().ca).toBe(ca);
      });
      const enough = calls + 50;
      await eventually(() => expect(calls).toBeGreaterThan(enough));
    }
    isLoaded = false;
    await Promise.all(load);
    // A caller of the old authority has no identity now.
    const old = connect(
      await serve(server),
      renewableCertificates({ ...(await authority.issue({ service: 'payment' })), ca: both }),
    );
    await expect(old()).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  });

  it('that do not fit together are ignored until they do, and are logged once', async () => {
    const { log, lines } = recordingLog();
    const { files, renameEach } = await makeFiles(await authority.issue({ service: 'auth' }));
    const certificates = await fileCertificates(files, log, { readEveryMs: 5 });
    closing.push(certificates.stop);
    const first = certificates.current();
    const next = await authority.issue({ service: 'auth' });
    await writeFile(files.keyFile, next.key);
    await eventually(() => expect(lines.some(({ level }) => level === 'warn')).toBe(true));
    expect(certificates.current()).toBe(first);
    await renameEach(next);
    await eventually(() => expect(certificates.current().cert).toBe(next.cert));
    expect(await readFile(files.keyFile, 'utf8')).toBe(certificates.current().key);
    expect(lines.filter(({ level }) => level === 'warn').length).toBeLessThan(3);
  });

  it('that are unusable at the start are an error', async () => {
    const { files } = await makeFiles({ ...(await authority.issue({ service: 'auth' })), key: 'none' });
    await expect(fileCertificates(files, testLog)).rejects.toThrow();
  });
});
