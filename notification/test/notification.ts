/** The service in one process, for tests: a real database, a real gRPC server, and requests to real receivers on loopback. */
import { randomBytes } from 'node:crypto';
import { connectGrpc, type Neighbour, newId, serveGrpc } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  createTestDatabase,
  createTestIdentity,
  PATIENCE_MS,
  type TestDatabase,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { NotificationServiceClient, type NotificationServiceService } from '@payflowx/proto/notification';
import { Payment, PaymentEvent, PaymentEventType, PaymentKind, PaymentState } from '@payflowx/proto/payment';
import type { Kysely } from 'kysely';
import { startDeliverer, type WebhookDeliverer } from '../src/app/deliver-webhooks.ts';
import { recordSteps } from '../src/app/record-steps.ts';
import { watchEvents } from '../src/app/watch-events.ts';
import { decodeStep } from '../src/consumers/payment-notifications.ts';
import { startJobQueue } from '../src/jobs/job-queue.ts';
import { notificationService } from '../src/rpc/notification-service.ts';
import type { Database } from '../src/store/database.ts';
import { type AddressSettings, createAddressPolicy } from '../src/webhooks/address-policy.ts';
import { createWebhookSender } from '../src/webhooks/send-request.ts';

export const LOOPBACK: AddressSettings = {
  allowHttp: true,
  allowedNetworks: ['127.0.0.0/8', '::1/128'],
  ports: undefined,
};

const RETENTION = { eventRetentionMs: 30 * 86_400_000, mailRetentionMs: 90 * 86_400_000 };

/** The dependencies of the RPCs, for tests that send no webhooks. */
export function withoutWebhooks(db: Kysely<Database>) {
  return {
    db,
    addresses: createAddressPolicy(LOOPBACK),
    sealingKey: randomBytes(32),
    wake: () => {},
    waitForEvents: async () => {},
    inTurn: <T>(read: () => Promise<T>) => read(),
    retention: RETENTION,
  };
}

export interface TestNotification {
  db: Kysely<Database>;
  database: TestDatabase;
  client: Neighbour<typeof NotificationServiceService>;
  /** The settings of a call by a user. */
  as(
    id: string,
    ...roles: ('customer' | 'operator' | 'auditor')[]
  ): Promise<{ accessToken: string; deadline: Date }>;
  /** Starts a further instance that sends webhooks. */
  startInstance(): Promise<WebhookDeliverer>;
  /** Stores steps as the consumer does, on the first instance. */
  record(...events: PaymentEvent[]): Promise<void>;
  stop(): Promise<void>;
}

interface Options {
  addresses?: AddressSettings;
  timeoutMs?: number;
  sandbox?: boolean;
}

export async function startNotification({
  addresses = LOOPBACK,
  timeoutMs = 2_000,
  sandbox = false,
}: Options = {}): Promise<TestNotification> {
  const identity = createTestIdentity();
  const migrations = new URL('../migrations/', import.meta.url);
  const database = await createTestDatabase({ service: 'notification', migrations });
  const db = openDatabase<Database>({ url: database.url, poolMax: 8 }, testLog);
  const policy = createAddressPolicy(addresses);
  const sealingKey = randomBytes(32);
  const stopping: (() => unknown)[] = [];

  const startInstance = async () => {
    const jobs = await startJobQueue(database, testLog);
    const sender = createWebhookSender(policy, { timeoutMs });
    const deliverer = startDeliverer({ db, jobs, sender, sealingKey, sandbox, log: testLog });
    stopping.push(
      () => deliverer.stop(),
      () => jobs.stop(),
      () => sender.close(),
    );
    return deliverer;
  };
  const { wake } = await startInstance();
  const watch = watchEvents(db, testLog);
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    certificates: testCertificates('notification'),
    pageTokenKey: testPageTokenKey,
    verifier: identity.verifier,
    log: testLog,
  };
  const deps = { db, figuresDb: db, wake, addresses: policy, sealingKey, retention: RETENTION, ...watch };
  const server = await serveGrpc(settings, [notificationService(deps)]);
  const client = connectGrpc(NotificationServiceClient, {
    target: `ipv4:127.0.0.1:${server.port}`,
    certificates: testCertificates('gateway'),
  });
  return {
    db,
    database,
    client,
    startInstance,
    as: async (id, ...roles) => ({
      accessToken: await identity.tokenFor({ id, roles: roles.length > 0 ? roles : ['customer'] }),
      deadline: new Date(Date.now() + PATIENCE_MS),
    }),
    record: (...events) =>
      recordSteps(
        { db, wake },
        events.map((event) => decodeStep({ payload: Buffer.from(PaymentEvent.encode(event).finish()) })),
      ),
    async stop() {
      client.close();
      await watch.stop();
      await server.drain();
      for (const stop of stopping) await stop();
      await db.destroy();
      await database.drop();
    },
  };
}

/** A completed payment as the payment service announces it. */
export function completed(
  fromOwnerId: string,
  toOwnerId: string,
  changes: Partial<PaymentEvent> = {},
): PaymentEvent {
  const now = new Date();
  return {
    ...PaymentEvent.decode(new Uint8Array()),
    id: newId('evt'),
    type: PaymentEventType.COMPLETED,
    occurredAt: now,
    payment: {
      ...Payment.decode(new Uint8Array()),
      id: newId('pay'),
      kind: PaymentKind.PAYMENT,
      state: PaymentState.COMPLETED,
      fromAccount: 'acct_a',
      toAccount: 'acct_b',
      amountMinor: 1_250n,
      capturedMinor: 1_250n,
      currency: 'EUR',
      captureMode: 1,
      reference: 'order-4711',
      metadata: { order: '4711' },
      version: 2n,
      createdAt: now,
      updatedAt: now,
    },
    fromOwnerId,
    toOwnerId,
    requesterId: fromOwnerId,
    ...changes,
  };
}
