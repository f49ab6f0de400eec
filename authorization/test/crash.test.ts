/** Runs the service as a separate process and kills it at the worst moments. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CallSettings, connectGrpc, type Neighbour } from '@payflowx/chassis';
import {
  createTestDatabase,
  createTestIdentity,
  eventually,
  freePort,
  PATIENCE_MS,
  startTestAuth,
  type TestServer,
  testCertificates,
  testPageTokenKey,
  testTlsEnvironment,
} from '@payflowx/chassis/testing';
import {
  AccountServiceClient,
  AuthorizationServiceClient,
  type AuthorizeItem,
  CaptureMode,
  MandateServiceClient,
} from '@payflowx/proto/authorization';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captureOf, deposit, item, mandateOf } from './running-service.ts';

const identity = createTestIdentity();
const faults = mkdtempSync(join(tmpdir(), 'authorization-faults-'));
const running: ChildProcess[] = [];
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let auth: TestServer;
let port: number;
let accountId: string;

beforeAll(async () => {
  database = await createTestDatabase({
    service: 'authorization',
    migrations: new URL('../migrations/', import.meta.url),
  });
  auth = await startTestAuth(identity);
  port = await freePort();
  await startProcess();
  accountId = await openAccount();
});
afterAll(async () => {
  for (const child of running.filter(
    ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
  )) {
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  }
  await auth.stop();
  await database.drop();
  rmSync(faults, { recursive: true });
});

async function startProcess(): Promise<void> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../src/main.ts', import.meta.url))], {
    stdio: ['ignore', process.env.TEST_LOG ? 'inherit' : 'ignore', 'inherit'],
    env: {
      ...process.env,
      GRPC_PORT: `${port}`,
      CONSUL_URL: '',
      ...testTlsEnvironment('authorization'),
      POSTGRES_URL: database.url,
      AUTH_TARGET: auth.target,
      PAGE_TOKEN_KEY: testPageTokenKey.toString('base64'),
      FAULTS_DIR: faults,
    },
  });
  running.push(child);
  await eventually(() => balanceOf('external:EUR').catch(rethrowUnlessAnswered));
}

/** An account that is not found is a response too. */
function rethrowUnlessAnswered(error: { reason?: string }): void {
  if (error.reason !== 'ACCOUNT_NOT_FOUND') throw error;
}

async function asOperator<T>(work: (settings: CallSettings) => Promise<T>) {
  const accessToken = await identity.tokenFor({ id: 'usr_op', roles: ['operator'] });
  return work({ deadlineMs: PATIENCE_MS, accessToken });
}

/** One client per attempt: after a kill the old connection is unusable. */
async function withAccounts<T>(use: (client: ReturnType<typeof connectAccounts>) => Promise<T>): Promise<T> {
  const client = connectAccounts();
  return use(client).finally(() => client.close());
}
const target = () => ({
  target: `ipv4:127.0.0.1:${port}`,
  certificates: testCertificates('payment'),
});
const connectAccounts = () =>
  connectGrpc<(typeof AccountServiceClient)['service']>(AccountServiceClient, target());
const connectAuthorization = () =>
  connectGrpc<(typeof AuthorizationServiceClient)['service']>(AuthorizationServiceClient, target());

function balanceOf(id: string): Promise<bigint | undefined> {
  return asOperator((settings) =>
    withAccounts(
      async (client) => (await client.getAccount({ accountId: id }, settings)).account?.balance?.postedMinor,
    ),
  );
}

function openAccount(): Promise<string> {
  const request = {
    requestId: '',
    ownerId: 'usr_alice',
    currency: 'EUR',
    name: '',
    limits: undefined,
    timeZone: '',
    externalId: '',
    metadata: {},
  };
  return asOperator((settings) =>
    withAccounts(async (client) => (await client.createAccount(request, settings)).account?.id ?? ''),
  );
}

/** One client per attempt here too. */
function asPayment<T>(
  use: (client: ReturnType<typeof connectAuthorization>, settings: CallSettings) => Promise<T>,
): Promise<T> {
  const client = connectAuthorization();
  return use(client, { deadlineMs: PATIENCE_MS }).finally(() => client.close());
}

/** Alice owns all accounts of these tests. */
async function asAlice<T>(
  use: (client: Neighbour<(typeof MandateServiceClient)['service']>, settings: CallSettings) => Promise<T>,
): Promise<T> {
  const client = connectGrpc<(typeof MandateServiceClient)['service']>(MandateServiceClient, target());
  const accessToken = await identity.tokenFor({ id: 'usr_alice', roles: ['customer'] });
  return use(client, { deadlineMs: PATIENCE_MS, accessToken }).finally(() => client.close());
}

function authorize(item: AuthorizeItem) {
  return asPayment(
    async (client, settings) =>
      (await client.batchAuthorize({ items: [item], sentAt: undefined }, settings)).results[0]?.result,
  );
}

describe('a kill', () => {
  it.each(['authorization.before-commit', 'authorization.after-commit'])(
    'at %s loses no money and moves none a second time after a retry',
    async (point) => {
      const before = (await balanceOf(accountId)) ?? 0n;
      const payment = deposit(accountId, 500n);
      writeFileSync(join(faults, point), '');
      await expect(authorize(payment)).rejects.toBeDefined();
      expect(existsSync(join(faults, point))).toBe(false);

      await startProcess();
      expect((await balanceOf(accountId)) ?? 0n).toBe(
        point.endsWith('after-commit') ? before + 500n : before,
      );
      const first = await authorize(payment);
      expect(first).toMatchObject({ $case: 'decision', value: { code: '' } });
      expect(await authorize(payment)).toEqual(first);
      expect(await balanceOf(accountId)).toBe(before + 500n);
    },
  );

  it.each(['authorization.before-commit', 'authorization.after-commit'])(
    'at %s of a capture moves the held money once, and the response has the remaining hold',
    async (point) => {
      const toAccount = await openAccount();
      const held = item({ fromAccount: accountId, toAccount, captureMode: CaptureMode.MANUAL });
      expect(await authorize(held)).toMatchObject({ value: { code: '' } });
      const before = (await balanceOf(accountId)) ?? 0n;
      const part = captureOf(held.paymentId, { amountMinor: 30n });
      const capture = () => asPayment((client, settings) => client.captureHold(part, settings));
      writeFileSync(join(faults, point), '');
      await expect(capture()).rejects.toBeDefined();

      await startProcess();
      const first = await capture();
      expect(first).toMatchObject({ remainingMinor: 70n, decision: { code: '' } });
      expect(await capture()).toEqual(first);
      expect(await balanceOf(accountId)).toBe(before - 30n);
      expect(await balanceOf(toAccount)).toBe(30n);
    },
  );

  it.each(['authorization.before-commit', 'authorization.after-commit'])(
    'at %s of a collection uses the mandate once, together with the money',
    async (point) => {
      const toAccount = await openAccount();
      const mandate = mandateOf({ fromAccount: accountId, toAccount });
      const { id = '' } = (await asAlice((client, as) => client.createMandate(mandate, as))).mandate ?? {};
      const used = async () =>
        (await asAlice((client, as) => client.getMandate({ mandateId: id }, as))).mandate?.usage?.dailyMinor;
      const collection = item({ fromAccount: accountId, toAccount, mandateId: id });
      writeFileSync(join(faults, point), '');
      await expect(authorize(collection)).rejects.toBeDefined();

      await startProcess();
      const moved = point.endsWith('after-commit') ? 100n : 0n;
      expect([await used(), await balanceOf(toAccount)]).toEqual([moved, moved]);
      const first = await authorize(collection);
      expect(first).toMatchObject({ value: { code: '' } });
      expect(await authorize(collection)).toEqual(first);
      expect([await used(), await balanceOf(toAccount)]).toEqual([100n, 100n]);
      // The request that made the mandate gets it again from the new process.
      const again = await asAlice((client, as) => client.createMandate(mandate, as));
      expect(again.mandate?.id).toBe(id);
    },
  );
});
