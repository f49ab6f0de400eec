/** A payment service on a database of its own, with a fake authorization beside it: what most tests start from. */
import { type Caller, connectGrpc, type Neighbour, newId, type RoleName, serveGrpc } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, createTestIdentity, testLog } from '@payflowx/chassis/testing';
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
import { paymentService } from '../src/rpc/payment-service.ts';
import type { Database } from '../src/store/database.ts';
import { type FakeAuthorization, startFakeAuthorization } from './fake-authorization.ts';

export const MIGRATIONS = new URL('../migrations/', import.meta.url);

type PaymentClient = Neighbour<PaymentServiceService>;

export interface Server {
  client: PaymentClient;
  flow: PaymentFlow;
  operations: OperationFlow;
  /** One round of recovery of operations, as if `afterMs` had passed; of payments below. */
  recoverOperations(afterMs?: number): Promise<boolean>;
  /** One round of the expiry worker, as if `afterMs` had passed. */
  expire(afterMs?: number): Promise<boolean>;
  /** One round of recovery, as if `afterMs` had passed. */
  recover(afterMs?: number): Promise<boolean>;
  stop(): Promise<void>;
}

export interface Platform extends Server {
  db: Kysely<Database>;
  databaseUrl: string;
  authorization: FakeAuthorization;
  customer: Caller;
  otherCustomer: Caller;
  operator: Caller;
  auditor: Caller;
  tokenOf(caller: Caller): Promise<string>;
  /** A new account of this owner. */
  accountOf(owner: Caller): string;
  ownerOf(account: string): string;
  /** Another instance on the same database, or on another one. */
  startServer(databaseUrl?: string): Promise<Server>;
}

const TIMES = { authorizeDeadlineMs: 400, recoverAfterMs: 1_000, holdMs: 60_000 };

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

  const startServer = async (databaseUrl = database.url): Promise<Server> => {
    const db = openDatabase<Database>({ url: databaseUrl, poolMax: 4, lockTimeoutMs: 250 }, testLog);
    const neighbour = connectAuthorization({
      target: authorization.target,
      token: () => identity.tokenFor(service),
    });
    const now = () => new Date();
    const deps = {
      db,
      figuresDb: db,
      authorization: neighbour,
      verifier: identity.verifier,
      log: testLog,
      newId,
      now,
    };
    const flow = createPaymentFlow({ ...deps, ...TIMES, batchSize: 200 });
    const operations = createOperationFlow({ ...deps, ...TIMES, batchSize: 200 });
    const server = await serveGrpc(
      { host: '127.0.0.1', port: 0, reflection: false, verifier: identity.verifier, log: testLog },
      [paymentService({ ...deps, ...TIMES, flow, operations })],
    );
    const client = connectGrpc(PaymentServiceClient, { target: `ipv4:127.0.0.1:${server.port}` });
    const started: Server = {
      client,
      flow,
      operations,
      recoverOperations: (afterMs = 0) =>
        recoverOperations({ ...deps, ...TIMES, operations, now: () => new Date(Date.now() + afterMs) }),
      expire: (afterMs = 0) =>
        expireHolds({ ...deps, ...TIMES, operations, now: () => new Date(Date.now() + afterMs) }),
      recover: (afterMs = 0) =>
        recoverPayments({ ...deps, ...TIMES, flow, now: () => new Date(Date.now() + afterMs) }),
      async stop() {
        client.close();
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
    authorization,
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
    async stop() {
      for (const server of servers) await server.stop();
      await authorization.stop();
      await db.destroy();
      await database.drop();
    },
  };
}

/** A good request, but for what is given. */
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

export const CALL = { deadlineMs: 5_000 };

/**
 * All that waits to be published: where to, and the event with its payload; `about`: what names this id somewhere. One transaction after
 * another, and what one announces by destination: it gives its rows ids in any order.
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

/** What is announced about a payment, in order. */
export async function announced(db: Kysely<Database>, paymentId: string) {
  return (await outbox(db, paymentId)).filter(({ key }) => key === paymentId);
}
