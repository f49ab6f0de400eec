/** The service as a separate process: its state after it is killed at any point, and its work without brokers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Caller, connectGrpc, newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  createTestDatabase,
  createTestIdentity,
  eventually,
  freePort,
  PATIENCE_MS,
  startTestAuth,
  type TestDatabase,
  type TestServer,
  testCertificates,
  testLog,
  testPageTokenKey,
  testTlsEnvironment,
} from '@payflowx/chassis/testing';
import { CaptureMode } from '@payflowx/proto/authorization';
import {
  type CreatePaymentRequest,
  PaymentServiceClient,
  PaymentState,
  RefundState,
} from '@payflowx/proto/payment';
import type { Kysely } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Database } from '../src/store/database.ts';
import { announced, FUNDS, MIGRATIONS, paymentRequest } from './payment-platform.ts';
import { type RealAuthorization, startRealAuthorization } from './real-authorization.ts';

const identity = createTestIdentity();
const customer: Caller = { id: newId('usr'), roles: ['customer'] };
const faults = mkdtempSync(join(tmpdir(), 'payment-faults-'));
let database: TestDatabase;
let db: Kysely<Database>;
let auth: TestServer;
let authorization: RealAuthorization;
/** Lets its answers go. */
let open = () => {};
let service: ChildProcess | undefined;
/** Its log since its start. */
let output = '';

beforeAll(async () => {
  database = await createTestDatabase({ service: 'payment', migrations: MIGRATIONS });
  db = openDatabase<Database>({ url: database.url, poolMax: 2 }, testLog);
  auth = await startTestAuth(identity);
  authorization = await startRealAuthorization(identity);
});
afterEach(() => {
  open();
  return stop('SIGKILL');
});
afterAll(async () => {
  await auth?.stop();
  await authorization?.stop();
  await db?.destroy();
  await database?.drop();
});

it.each(['payment.after-accept', 'payment.after-authorize', 'payment.after-settle'])(
  'killed at %s, it makes the payment final once after its restart',
  async (point) => {
    const port = await freePort();
    await start(port);
    writeFileSync(join(faults, point), '');
    const request = await newRequest();
    const client = connectGrpc(PaymentServiceClient, {
      target: `ipv4:127.0.0.1:${port}`,
      certificates: testCertificates(),
    });
    const call = { deadlineMs: PATIENCE_MS, accessToken: await identity.tokenFor(customer) };
    await expect(client.createPayment(request, call)).rejects.toMatchObject({ code: 14 });

    await start(port);
    const answer = await eventually(() => client.createPayment(request, call), { everyMs: 200 });
    const id = answer.payment?.id ?? '';
    expect(answer).toMatchObject({ replayed: true, payment: { state: PaymentState.COMPLETED } });
    expect(await authorization.approvals(id)).toBe(1);
    const moved = await authorization.movedIn(request.fromAccount, request.toAccount);
    expect(moved.map(({ postedMinor }) => postedMinor)).toEqual([-request.amountMinor, request.amountMinor]);
    const types = (await announced(db, id)).map(({ destination, type }) => `${destination} ${type}`);
    expect(types).toEqual([
      'payment-events payment.initiated',
      'payment-events payment.completed',
      'payment-notifications payment.completed',
    ]);
    client.close();
  },
);

const OPERATION_POINTS = [
  'payment.after-operation-accept',
  'payment.after-operation-decided',
  'payment.after-operation-settled',
];

it.each(OPERATION_POINTS)(
  'killed at %s, it makes a capture and a refund final once after its restart',
  async (point) => {
    const port = await freePort();
    await start(port);
    const client = connectGrpc(PaymentServiceClient, {
      target: `ipv4:127.0.0.1:${port}`,
      certificates: testCertificates(),
    });
    const call = { deadlineMs: PATIENCE_MS, accessToken: await identity.tokenFor(customer) };
    const held = await newRequest({ captureMode: CaptureMode.MANUAL });
    const paymentId = (await client.createPayment(held, call)).payment?.id ?? '';

    const notes = { reference: '', metadata: {} };
    const captureRequest = { requestId: newId('req'), paymentId, ...notes };
    const refundRequest = { requestId: newId('req'), paymentId, reason: '', ...notes };
    const killAndRetry = async <T>(ask: () => Promise<T>): Promise<T> => {
      writeFileSync(join(faults, point), '');
      await expect(ask()).rejects.toMatchObject({ code: 14 });
      await start(port);
      return eventually(ask, { everyMs: 200 });
    };
    const captured = await killAndRetry(() => client.capturePayment(captureRequest, call));
    expect(captured).toMatchObject({ replayed: true, payment: { state: PaymentState.COMPLETED } });
    const refunded = await killAndRetry(() => client.createRefund(refundRequest, call));
    expect(refunded).toMatchObject({ replayed: true, refund: { state: RefundState.COMPLETED } });

    const types = (await announced(db, paymentId)).map(({ destination, type }) => `${destination} ${type}`);
    expect(types.slice(3)).toEqual([
      'payment-events payment.completed',
      'payment-notifications payment.completed',
      'payment-events payment.refunded',
      'payment-notifications payment.refunded',
    ]);
    const nothing = { postedMinor: 0n, heldMinor: 0n };
    expect(await authorization.movedIn(held.fromAccount, held.toAccount)).toEqual([nothing, nothing]);
    client.close();
  },
);

it('ends a hold by itself at its end', async () => {
  const port = await freePort();
  await start(port);
  const client = connectGrpc(PaymentServiceClient, {
    target: `ipv4:127.0.0.1:${port}`,
    certificates: testCertificates(),
  });
  const call = { deadlineMs: PATIENCE_MS, accessToken: await identity.tokenFor(customer) };
  const held = await newRequest({ captureMode: CaptureMode.MANUAL, holdSeconds: 1 });
  const { payment } = await client.createPayment(held, call);
  expect(payment?.state).toBe(PaymentState.AUTHORIZED);
  await eventually(
    async () => {
      const now = await client.getPayment({ paymentId: payment?.id ?? '' }, call);
      expect(now.payment?.state).toBe(PaymentState.EXPIRED);
    },
    { everyMs: 200 },
  );
  client.close();
});

it('pays without Kafka and RabbitMQ, and finishes the payment in progress before it stops on a signal', async () => {
  const port = await freePort();
  await start(port);
  const client = connectGrpc(PaymentServiceClient, {
    target: `ipv4:127.0.0.1:${port}`,
    certificates: testCertificates(),
  });
  const call = { deadlineMs: PATIENCE_MS, accessToken: await identity.tokenFor(customer) };
  const { payment } = await client.createPayment(await newRequest(), call);
  expect(payment?.state).toBe(PaymentState.COMPLETED);

  const request = await newRequest();
  open = authorization.holdAnswers();
  const asked = authorization.asked.length;
  const inProgress = client.createPayment(request, call);
  await eventually(() => expect(authorization.asked.length).toBeGreaterThan(asked));
  const stopped = stop('SIGTERM');
  // The service no longer serves new callers. The parts that the payment needs still work.
  const newcomer = connectGrpc(PaymentServiceClient, {
    target: `ipv4:127.0.0.1:${port}`,
    certificates: testCertificates(),
  });
  await eventually(async () => expect(await newcomer.isServing(1_000)).toBe(false));
  open();
  const ends = await Promise.allSettled([inProgress, stopped]);
  expect(ends, output).toMatchObject([
    { value: { payment: { state: PaymentState.COMPLETED } } },
    { value: 0 },
  ]);
  client.close();
  newcomer.close();
});

/** A valid request of the customer, who owns both accounts. */
async function newRequest(given: Partial<CreatePaymentRequest> = {}): Promise<CreatePaymentRequest> {
  const own = { ownerId: customer.id, currency: 'EUR', funds: FUNDS };
  const [fromAccount, toAccount] = await Promise.all([
    authorization.openAccount(own),
    authorization.openAccount(own),
  ]);
  return paymentRequest({ ...given, fromAccount, toAccount });
}

/** Starts the service with broker addresses where no broker listens, and waits until it serves. */
async function start(port: number): Promise<void> {
  await stop('SIGKILL');
  const serving = Promise.withResolvers<void>();
  service = spawn(process.execPath, ['src/main.ts'], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      GRPC_PORT: String(port),
      POSTGRES_URL: database.url,
      KAFKA_BROKERS: '127.0.0.1:1',
      RABBITMQ_URL: 'amqp://127.0.0.1:1',
      AUTH_TARGET: auth.target,
      AUTHORIZATION_TARGET: authorization.target,
      ...testTlsEnvironment('payment'),
      PAGE_TOKEN_KEY: testPageTokenKey.toString('base64'),
      FAULTS_DIR: faults,
    },
  });
  output = '';
  service.stdout?.on('data', (chunk) => {
    output += chunk;
    if (output.includes('"started"')) serving.resolve();
  });
  service.once('exit', () => serving.reject(new Error(`The service did not start:\n${output}`)));
  await serving.promise;
}

/** Stops the service if it runs, and returns its exit code. */
async function stop(signal: NodeJS.Signals): Promise<number | null> {
  const child = service;
  service = undefined;
  if (!child || child.exitCode !== null || child.signalCode !== null) return null;
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return exited;
}
