/** The test platform of most tests: a payment service and the real authorization, each with its own database. */
import { promisify } from 'node:util';
import { Metadata } from '@grpc/grpc-js';
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
  testCertificates,
  testCredentials,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { CaptureMode } from '@payflowx/proto/authorization';
import { Parcel } from '@payflowx/proto/outbox';
import {
  CaptureBy,
  type CreatePaymentRequest,
  type ListPaymentsRequest,
  PaymentEvent,
  PaymentServiceClient,
  type PaymentServiceService,
  PaymentState,
  SandboxServiceClient,
  type SandboxServiceService,
} from '@payflowx/proto/payment';
import { type Kysely, sql } from 'kysely';
import { expireHolds } from '../src/app/expire-holds.ts';
import { createOperationFlow, type OperationFlow } from '../src/app/operation-flow.ts';
import { createPaymentFlow, type PaymentFlow } from '../src/app/payment-flow.ts';
import { recoverOperations } from '../src/app/recover-operations.ts';
import { recoverPayments } from '../src/app/recover-payments.ts';
import { connectAuthorization } from '../src/clients/authorization.ts';
import { createClockWatch } from '../src/clients/clock-watch.ts';
import { connectTestClock } from '../src/clients/test-clock.ts';
import { paymentService } from '../src/rpc/payment-service.ts';
import { sandboxService } from '../src/rpc/sandbox-service.ts';
import type { Database } from '../src/store/database.ts';
import { type Opening, type RealAuthorization, startRealAuthorization } from './real-authorization.ts';

export const MIGRATIONS = new URL('../migrations/', import.meta.url);

type PaymentClient = Neighbour<PaymentServiceService>;

export interface Server {
  target: string;
  /** The gateway. With an access token, a call is in the name of its user. */
  client: PaymentClient;
  /** The ledger. */
  ledger: PaymentClient;
  /** Without a certificate, like an operator's grpcurl. */
  user: PaymentClient;
  /** The test clock. It works only with `sandbox`. */
  sandbox: Neighbour<SandboxServiceService>;
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
  authorization: RealAuthorization;
  /** Warnings and errors in the logs of all servers. */
  logged: { fields: Record<string, unknown>; message: string }[];
  customer: Caller;
  otherCustomer: Caller;
  operator: Caller;
  auditor: Caller;
  tokenOf(caller: Caller): Promise<string>;
  /** Opens an account of this owner, in EUR and with FUNDS unless given otherwise. */
  accountOf(owner: Caller, given?: Partial<Opening>): Promise<string>;
  /** Returns a valid request of the customer, from a new account with FUNDS to a new, empty one of the other customer. */
  newRequest(given?: Partial<CreatePaymentRequest>): Promise<CreatePaymentRequest>;
  /** Starts another instance, by default on the same database. */
  startServer(given?: Partial<Times> & { databaseUrl?: string }): Promise<Server>;
  /** An instance with a short timeout for authorization, for tests in which authorization does not respond in time. */
  startImpatientServer(): Promise<Server>;
}

/** Enough for all payments of one test. */
export const FUNDS = 100_000n;

const TIMES: Times = { authorizeDeadlineMs: PATIENCE_MS, recoverAfterMs: 1_000, holdMs: 60_000 };

const makeCaller = (...roles: RoleName[]): Caller => ({ id: newId('usr'), roles });

/** `simulationsPerMinute` is for each caller. */
export async function startPlatform(
  given: { simulationsPerMinute?: number; sandbox?: boolean } = {},
): Promise<Platform> {
  const database = await createTestDatabase({ service: 'payment', migrations: MIGRATIONS });
  const identity = createTestIdentity();
  const authorization = await startRealAuthorization(identity, given);
  const db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
  const servers: Server[] = [];
  const logged: Platform['logged'] = [];

  const startServer: Platform['startServer'] = async ({ databaseUrl = database.url, ...changed } = {}) => {
    const times = { ...TIMES, ...changed };
    const db = openDatabase<Database>({ url: databaseUrl, poolMax: 4, lockTimeoutMs: 250 }, testLog);
    const asideDb = openDatabase<Database>({ url: databaseUrl, poolMax: 4, lockTimeoutMs: 25 }, testLog);
    const now = () => new Date();
    const log = recordingLog(logged);
    const clock = createClockWatch({ now, log });
    const neighbour = connectAuthorization({
      target: authorization.target,
      certificates: testCertificates('payment'),
      clock,
    });
    const deps = {
      db,
      asideDb,
      clock,
      figuresDb: db,
      authorization: neighbour,
      verifier: identity.verifier,
      log,
      newId,
      now,
    };
    const testClock = connectTestClock({
      target: authorization.target,
      certificates: testCertificates('payment'),
    });
    const flow = createPaymentFlow({ ...deps, ...times, batchSize: 200 });
    const operations = createOperationFlow({ ...deps, ...times, batchSize: 200 });
    const server = await serveGrpc(
      {
        host: '127.0.0.1',
        port: 0,
        reflection: false,
        pageTokenKey: testPageTokenKey,
        certificates: testCertificates('payment'),
        verifier: identity.verifier,
        log: testLog,
      },
      [
        paymentService({ ...deps, ...times, flow, operations, sandbox: given.sandbox }),
        sandboxService({ db, testClock }),
      ],
    );
    const target = `ipv4:127.0.0.1:${server.port}`;
    const client = connectGrpc(PaymentServiceClient, { target, certificates: testCertificates('gateway') });
    const ledger = connectGrpc(PaymentServiceClient, { target, certificates: testCertificates('ledger') });
    const user = connectGrpc(PaymentServiceClient, { target, certificates: testCertificates() });
    const sandbox = connectGrpc(SandboxServiceClient, { target, certificates: testCertificates() });
    const plain = new PaymentServiceClient(`127.0.0.1:${server.port}`, testCredentials('payment'));
    const started: Server = {
      target,
      client,
      ledger,
      user,
      sandbox,
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
        for (const each of [client, ledger, user]) each.close();
        plain.close();
        await server.drain();
        await flow.drain();
        await operations.drain();
        neighbour.close();
        testClock.close();
        sandbox.close();
        await db.destroy();
        await asideDb.destroy();
      },
    };
    servers.push(started);
    return started;
  };

  const accountOf: Platform['accountOf'] = ({ id: ownerId }, given) =>
    authorization.openAccount({ ownerId, currency: 'EUR', funds: FUNDS, ...given });
  const customer = makeCaller('customer');
  const otherCustomer = makeCaller('customer');

  const first = await startServer();
  return {
    ...first,
    db,
    databaseUrl: database.url,
    adminUrl: database.adminUrl,
    authorization,
    logged,
    customer,
    otherCustomer,
    operator: makeCaller('operator'),
    auditor: makeCaller('auditor'),
    tokenOf: (caller) => identity.tokenFor(caller),
    accountOf,
    async newRequest(given = {}) {
      const currency = given.currency ?? 'EUR';
      const [fromAccount, toAccount] = await Promise.all([
        given.fromAccount ?? accountOf(customer, { currency }),
        given.toAccount ?? accountOf(otherCustomer, { currency, funds: 0n }),
      ]);
      return paymentRequest({ ...given, fromAccount, toAccount });
    },
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

/** A list of payments without any filter. */
export const ANY_PAYMENTS: ListPaymentsRequest = {
  pageSize: 0,
  pageToken: '',
  accountId: '',
  state: PaymentState.UNSPECIFIED,
  currency: '',
  reference: '',
  referencePrefix: '',
  mandateId: '',
  createdAfter: undefined,
  createdBefore: undefined,
  updatedAfter: undefined,
  updatedBefore: undefined,
  amountMinMinor: undefined,
  amountMaxMinor: undefined,
  states: [],
  kind: 0,
  fromAccount: '',
  toAccount: '',
  metadata: {},
  oldestFirst: false,
};

/** A request with the given fields replaced. It is valid, but its accounts do not exist unless given. */
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
    captureBy: CaptureBy.UNSPECIFIED,
    mandateId: '',
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
