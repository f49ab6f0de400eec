/** The test platform of most tests: a payment service with its own database and a fake authorization. */
import { promisify } from 'node:util';
import { credentials, Metadata } from '@grpc/grpc-js';
import {
  type Caller,
  connectGrpc,
  type Logger,
  type Neighbour,
  newId,
  type RoleName,
  serveGrpc,
} from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  createTestDatabase,
  createTestIdentity,
  PATIENCE_MS,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { CaptureMode } from '@payflowx/proto/authorization';
import { Parcel } from '@payflowx/proto/outbox';
import {
  type CreatePaymentRequest,
  PaymentEvent,
  PaymentServiceClient,
  type PaymentServiceService,
} from '@payflowx/proto/payment';
import { type Kysely, sql } from 'kysely';
import { expireHolds } from '../src/app/expire-holds.ts';
import { createOperationFlow, type OperationFlow } from '../src/app/operation-flow.ts';
import { createPaymentFlow, type PaymentFlow } from '../src/app/payment-flow.ts';
import { recoverOperations } from '../src/app/recover-operations.ts';
import { recoverPayments } from '../src/app/recover-payments.ts';
import { connectAuthorization } from '../src/clients/authorization.ts';
import { createClockWatch } from '../src/clients/clock-watch.ts';
import { paymentService } from '../src/rpc/payment-service.ts';
import type { Database } from '../src/store/database.ts';
import { type FakeAuthorization, startFakeAuthorization } from './fake-authorization.ts';

export const MIGRATIONS = new URL('../migrations/', import.meta.url);

type PaymentClient = Neighbour<PaymentServiceService>;

export interface Server {
  target: string;
  client: PaymentClient;
  /** Calls as gRPC does in a retry: an earlier attempt may still be in progress. */
  callAsRetry<M extends 'createPayment' | 'capturePayment'>(
    method: M,
    request: Parameters<PaymentClient[M]>[0],
    accessToken: string,
  ): ReturnType<PaymentClient[M]>;
  flow: PaymentFlow;
  operations: OperationFlow;
  /** Runs recovery of operations once, as if `afterMs` had passed; of payments below. */
  recoverOperations(afterMs?: number): Promise<boolean>;
  /** Runs the expiry worker once, as if `afterMs` had passed. */
  expire(afterMs?: number): Promise<boolean>;
  /** Runs recovery of payments once, as if `afterMs` had passed. */
  recover(afterMs?: number): Promise<boolean>;
  stop(): Promise<void>;
}

interface Times {
  authorizeDeadlineMs: number;
  recoverAfterMs: number;
  holdMs: number;
}

export interface Platform extends Server {
  db: Kysely<Database>;
  databaseUrl: string;
  /** With the superuser. */
  adminUrl: string;
  authorization: FakeAuthorization;
  /** Warnings and errors in the logs of all servers. */
  logged: { fields: Record<string, unknown>; message: string }[];
  customer: Caller;
  otherCustomer: Caller;
  operator: Caller;
  auditor: Caller;
  tokenOf(caller: Caller): Promise<string>;
  /** Returns a new account of this owner. */
  accountOf(owner: Caller): string;
  ownerOf(account: string): string;
  /** Starts another instance, by default on the same database. */
  startServer(given?: Partial<Times> & { databaseUrl?: string }): Promise<Server>;
  /** An instance with a short timeout for authorization, for tests in which authorization does not respond in time. */
  startImpatientServer(): Promise<Server>;
}

const TIMES: Times = { authorizeDeadlineMs: PATIENCE_MS, recoverAfterMs: 1_000, holdMs: 60_000 };

const makeCaller = (...roles: RoleName[]): Caller => ({ id: newId('usr'), roles });

export async function startPlatform(): Promise<Platform> {
  const database = await createTestDatabase({ service: 'payment', migrations: MIGRATIONS });
  const identity = createTestIdentity();
  const owners = new Map<string, string>();
  const ownerOf = (account: string) => owners.get(account) ?? '';
  const authorization = await startFakeAuthorization(identity.verifier, ownerOf);
  const db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
  const service = makeCaller('service');
  const servers: Server[] = [];
  const logged: Platform['logged'] = [];

  const startServer: Platform['startServer'] = async ({ databaseUrl = database.url, ...given } = {}) => {
    const times = { ...TIMES, ...given };
    const db = openDatabase<Database>({ url: databaseUrl, poolMax: 4, lockTimeoutMs: 250 }, testLog);
    const now = () => new Date();
    const log = recordingLog(logged);
    const clock = createClockWatch({ now, log });
    const neighbour = connectAuthorization({
      target: authorization.target,
      token: () => identity.tokenFor(service),
      clock,
    });
    const deps = {
      db,
      clock,
      figuresDb: db,
      authorization: neighbour,
      verifier: identity.verifier,
      log,
      newId,
      now,
    };
    const flow = createPaymentFlow({ ...deps, ...times, batchSize: 200 });
    const operations = createOperationFlow({ ...deps, ...times, batchSize: 200 });
    const server = await serveGrpc(
      {
        host: '127.0.0.1',
        port: 0,
        reflection: false,
        pageTokenKey: testPageTokenKey,
        verifier: identity.verifier,
        log: testLog,
      },
      [paymentService({ ...deps, ...times, flow, operations })],
    );
    const target = `ipv4:127.0.0.1:${server.port}`;
    const client = connectGrpc(PaymentServiceClient, { target });
    const plain = new PaymentServiceClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
    const started: Server = {
      target,
      client,
      callAsRetry(method, request, accessToken) {
        const metadata = new Metadata();
        metadata.set('authorization', `Bearer ${accessToken}`);
        metadata.set('grpc-previous-rpc-attempts', '1');
        const call = promisify(plain[method].bind(plain) as never);
        return (call as (...args: unknown[]) => never)(request, metadata);
      },
      flow,
      operations,
      recoverOperations: (afterMs = 0) =>
        recoverOperations({ ...deps, ...times, operations, now: () => new Date(Date.now() + afterMs) }),
      expire: (afterMs = 0) =>
        expireHolds({ ...deps, ...times, operations, now: () => new Date(Date.now() + afterMs) }),
      recover: (afterMs = 0) =>
        recoverPayments({ ...deps, ...times, flow, now: () => new Date(Date.now() + afterMs) }),
      async stop() {
        client.close();
        plain.close();
        await server.drain();
        await flow.drain();
        await operations.drain();
        neighbour.close();
        await db.destroy();
      },
    };
    servers.push(started);
    return started;
  };

  const first = await startServer();
  return {
    ...first,
    db,
    databaseUrl: database.url,
    adminUrl: database.adminUrl,
    authorization,
    logged,
    customer: makeCaller('customer'),
    otherCustomer: makeCaller('customer'),
    operator: makeCaller('operator'),
    auditor: makeCaller('auditor'),
    tokenOf: (caller) => identity.tokenFor(caller),
    accountOf(owner) {
      const account = newId('acct');
      owners.set(account, owner.id);
      return account;
    },
    ownerOf,
    startServer,
    startImpatientServer: () => startServer({ authorizeDeadlineMs: 100 }),
    async stop() {
      for (const server of servers) await server.stop();
      await authorization.stop();
      await db.destroy();
      await database.drop();
    },
  };
}

function recordingLog(logged: Platform['logged']): Logger {
  const record = (fields: Record<string, unknown>, message: string) => void logged.push({ fields, message });
  return Object.assign(Object.create(testLog), { warn: record, error: record }) as Logger;
}

/** A valid request with the given fields replaced. */
export function paymentRequest(given: Partial<CreatePaymentRequest> = {}): CreatePaymentRequest {
  return {
    requestId: newId('req'),
    fromAccount: newId('acct'),
    toAccount: newId('acct'),
    amountMinor: 1_250n,
    currency: 'EUR',
    captureMode: CaptureMode.AUTOMATIC,
    description: 'Lunch',
    reference: 'order-7',
    metadata: { table: '4' },
    holdSeconds: 0,
    ...given,
  };
}

export const CALL = { deadlineMs: PATIENCE_MS };

/**
 * Returns the unpublished events with their destinations, one transaction after another. The events of one transaction are sorted by
 * destination, because their rows get ids in any order. `about` selects events that contain this id.
 */
export async function outbox(db: Kysely<Database>, about = '') {
  const { rows } = await sql<{ destination: string; events: Buffer }>`
    select destination, events from outbox
    where position(convert_to(${about}, 'UTF8') in events) > 0
    order by min(id) over (partition by xmin::text), destination, id`.execute(db);
  return rows.flatMap(({ destination, events }) =>
    Parcel.decode(events).events.map(({ payload, ...attributes }) => ({
      destination,
      ...attributes,
      event: PaymentEvent.decode(payload),
    })),
  );
}

/** Returns the published events of a payment, in order. */
export async function announced(db: Kysely<Database>, paymentId: string) {
  return (await outbox(db, paymentId)).filter(({ key }) => key === paymentId);
}
