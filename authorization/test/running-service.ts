/** Runs the service as callers see it: real gRPC servers, any number of instances, and one real database for them. */
import { connectGrpc, newId, serveGrpc } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  createTestDatabase,
  createTestIdentity,
  PATIENCE_MS,
  testCertificates,
  testLog,
  testPageTokenKey,
  untilKnown,
} from '@payflowx/chassis/testing';
import { Role } from '@payflowx/proto/auth';
import {
  AccountServiceClient,
  type AccountServiceService,
  AuthorizationServiceClient,
  type AuthorizationServiceService,
  type AuthorizeItem,
  type CaptureHoldRequest,
  CaptureMode,
  type CreateMandateRequest,
  type Decision,
  type Limits,
  type Mandate,
  MandateServiceClient,
  type MandateServiceService,
  type RefundTransferRequest,
  ReleaseCause,
  type ReleaseHoldRequest,
  RuleServiceClient,
  type RuleServiceService,
  TestClockServiceClient,
  type TestClockServiceService,
} from '@payflowx/proto/authorization';
import type { Status } from '@payflowx/proto/rpc';
import type { Kysely } from 'kysely';
import pg from 'pg';
import { authorizationServices } from '../src/services.ts';
import type { Database } from '../src/store/database.ts';

export const HOLD_TTL_MS = 60_000;
export const OPERATOR = { id: 'usr_operator', roles: ['operator'] as const };

export type RunningService = Awaited<ReturnType<typeof startService>>;

export async function startService({
  instances = 1,
  now = () => new Date(),
  simulationsPerMinute = 1_000,
  sandbox = false,
} = {}) {
  const database = await createTestDatabase({
    service: 'authorization',
    migrations: new URL('../migrations/', import.meta.url),
  });
  const identity = createTestIdentity();
  const tokens = { operator: await identity.tokenFor(OPERATOR) };
  const started = await Promise.all(
    Array.from({ length: instances }, () =>
      startInstance(database.url, identity.verifier, { now, simulationsPerMinute, sandbox }),
    ),
  );
  const admin = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
  const asService = { deadlineMs: PATIENCE_MS };
  let turn = 0;
  const next = () => nth(started, turn++ % started.length).authorization;
  const release = (request: ReleaseHoldRequest) => untilKnown(() => next().releaseHold(request, asService));
  const authorizeAt = async (
    instance: ReturnType<typeof next>,
    items: AuthorizeItem[],
  ): Promise<Answer[]> => {
    const request = { items, sentAt: now() };
    const { results } = await untilKnown(() => instance.batchAuthorize(request, asService));
    return results.map(({ result }) => {
      if (result?.$case === 'decision') return { decision: result.value, error: undefined };
      if (result?.$case === 'error') return { decision: undefined, error: result.value };
      throw new Error('a result without content');
    });
  };

  return {
    accounts: nth(started, 0).accounts,
    authorizationRpc: nth(started, 0).authorization,
    /** Of the last instance, which gets none of the first calls. */
    lastAuthorizationRpc: nth(started, instances - 1).authorization,
    /** Of the first instance. Its service exists only with `sandbox`. */
    testClock: nth(started, 0).testClock,
    /** For each instance. */
    rules: started.map(({ rules }) => rules),
    /** For each instance. */
    mandates: started.map(({ mandates }) => mandates),
    target: nth(started, 0).target,
    tokenFor: identity.tokenFor,
    tokens,
    servingUrl: database.url,
    adminUrl: database.adminUrl,
    /** Runs as superuser, ignoring all grants. */
    sql: (text: string, values: unknown[] = []) => admin.query(text, values),
    /** Locks the rows of this `select … for update` in a session of its own, as an outside session would. */
    async lock(select: string, values: unknown[]) {
      const session = await admin.connect();
      await session.query('begin');
      const { rowCount } = await session.query(select, values);
      if (rowCount !== 1) throw new Error(`${rowCount} rows were locked instead of one`);
      return async () => {
        await session.query('rollback');
        session.release();
      };
    },
    /** Sends a call with these items to the instances in turn. */
    authorize: (...items: AuthorizeItem[]) => authorizeAt(next(), items),
    /** Sends it to one of the instances. */
    authorizeAt: (instance: number, ...items: AuthorizeItem[]) =>
      authorizeAt(nth(started, instance).authorization, items),
    /** These send to the instances in turn. */
    capture: (request: CaptureHoldRequest) => untilKnown(() => next().captureHold(request, asService)),
    /** One attempt: a call past its deadline fails. */
    captureOnce: (request: CaptureHoldRequest) => next().captureHold(request, asService),
    release,
    cancel: (paymentId: string) => release(cancelOf(paymentId)),
    expire: (paymentId: string) => release(expiryOf(paymentId)),
    refund: (request: RefundTransferRequest) => untilKnown(() => next().refundTransfer(request, asService)),
    async stop() {
      await Promise.all(started.map((instance) => instance.stop()));
      await admin.end();
      await database.drop();
    },
  };
}

export type Answer = { decision: Decision; error: undefined } | { decision: undefined; error: Status };

async function startInstance(
  url: string,
  verifier: Parameters<typeof serveGrpc>[0]['verifier'],
  settings: { now: () => Date; simulationsPerMinute: number; sandbox: boolean },
) {
  const db: Kysely<Database> = openDatabase<Database>({ url, poolMax: 4 }, testLog);
  const deps = { db, backtestDb: db, log: testLog, holdTtlMs: HOLD_TTL_MS, ...settings };
  const { services, drain } = authorizationServices(deps);
  const server = await serveGrpc(
    {
      host: '127.0.0.1',
      port: 0,
      reflection: false,
      pageTokenKey: testPageTokenKey,
      certificates: testCertificates('authorization'),
      verifier,
      log: testLog,
    },
    services,
  );
  const target = `ipv4:127.0.0.1:${server.port}`;
  const accounts = connectGrpc<AccountServiceService>(AccountServiceClient, {
    target,
    certificates: testCertificates('ledger'),
  });
  const authorization = connectGrpc<AuthorizationServiceService>(AuthorizationServiceClient, {
    target,
    certificates: testCertificates('payment'),
  });
  const rules = connectGrpc<RuleServiceService>(RuleServiceClient, {
    target,
    certificates: testCertificates(),
  });
  const mandates = connectGrpc<MandateServiceService>(MandateServiceClient, {
    target,
    certificates: testCertificates(),
  });
  const testClock = connectGrpc<TestClockServiceService>(TestClockServiceClient, {
    target,
    certificates: testCertificates('payment'),
  });
  return {
    target,
    accounts,
    authorization,
    rules,
    mandates,
    testClock,
    async stop() {
      accounts.close();
      authorization.close();
      rules.close();
      mandates.close();
      testClock.close();
      await server.drain();
      await drain();
      await db.destroy();
    },
  };
}

/** Returns a valid item: an automatic payment of 1 EUR by its owner. `change` overrides fields. */
export function item(
  change: Partial<AuthorizeItem> & Pick<AuthorizeItem, 'fromAccount' | 'toAccount'>,
): AuthorizeItem {
  const paymentId = change.paymentId ?? newId('pay');
  return {
    paymentId,
    operationId: paymentId,
    amountMinor: 100n,
    currency: 'EUR',
    captureMode: CaptureMode.AUTOMATIC,
    callerId: 'usr_alice',
    callerRoles: [Role.CUSTOMER],
    holdExpiresAt: undefined,
    holdSeconds: 0,
    traceparent: '',
    deadline: undefined,
    description: '',
    reference: '',
    metadata: {},
    mandateId: '',
    ...change,
  };
}

/** Captures all held money unless `change` overrides it. Each call is its own step. */
export function captureOf(paymentId: string, change: Partial<CaptureHoldRequest> = {}): CaptureHoldRequest {
  return {
    paymentId,
    operationId: newId('req'),
    amountMinor: 0n,
    final: false,
    deadline: undefined,
    ...change,
  };
}

export function cancelOf(paymentId: string): ReleaseHoldRequest {
  return { paymentId, operationId: newId('req'), cause: ReleaseCause.CANCEL, deadline: undefined };
}

export function expiryOf(paymentId: string): ReleaseHoldRequest {
  return { ...cancelOf(paymentId), cause: ReleaseCause.EXPIRY };
}

export function refundOf(
  change: Partial<RefundTransferRequest> & Pick<RefundTransferRequest, 'fromAccount' | 'toAccount'>,
): RefundTransferRequest {
  return {
    paymentId: newId('pay'),
    operationId: newId('ref'),
    amountMinor: 100n,
    currency: 'EUR',
    deadline: undefined,
    ...change,
  };
}

/** Returns a deposit, as the payment service sends it for an operator. */
export function deposit(toAccount: string, amountMinor: bigint, currency = 'EUR'): AuthorizeItem {
  return item({
    fromAccount: `external:${currency}`,
    toAccount,
    amountMinor,
    currency,
    callerId: OPERATOR.id,
    callerRoles: [Role.OPERATOR],
  });
}

/** Opens an account, and pays `balance` into it. */
export async function openAccount(
  service: RunningService,
  {
    ownerId = 'usr_alice',
    currency = 'EUR',
    balance = 0n,
    limits,
    timeZone = '',
  }: { ownerId?: string; currency?: string; balance?: bigint; limits?: Limits; timeZone?: string } = {},
): Promise<string> {
  const { account } = await service.accounts.createAccount(
    { requestId: '', ownerId, currency, name: '', limits, timeZone, externalId: '', metadata: {} },
    { deadlineMs: PATIENCE_MS, accessToken: service.tokens.operator },
  );
  if (account === undefined) throw new Error('no account');
  if (balance > 0n) {
    const [answer] = await service.authorize(deposit(account.id, balance, currency));
    if (answer?.decision?.code !== '') throw new Error('the deposit was not approved');
  }
  return account.id;
}

/** Makes a mandate as the owner of `fromAccount`, valid for an hour. `change` overrides fields. */
export async function openMandate(
  service: RunningService,
  change: Parameters<typeof mandateOf>[0],
  { payer = 'usr_alice' }: { payer?: string } = {},
): Promise<Mandate> {
  const { mandate } = await nth(service.mandates, 0).createMandate(mandateOf(change), {
    deadlineMs: PATIENCE_MS,
    accessToken: await service.tokenFor({ id: payer, roles: ['customer'] }),
  });
  if (!mandate) throw new Error('no mandate');
  return mandate;
}

export function mandateOf({
  now = new Date(),
  ...change
}: Partial<CreateMandateRequest> &
  Pick<CreateMandateRequest, 'fromAccount' | 'toAccount'> & { now?: Date }): CreateMandateRequest {
  return {
    requestId: newId('req'),
    perPaymentMinor: undefined,
    dailyMinor: undefined,
    monthlyMinor: undefined,
    validUntil: new Date(now.getTime() + 3_600_000),
    reference: '',
    ...change,
  };
}

/** Returns balance and use of limits, as an operator reads them. */
export async function accountOf(service: RunningService, accountId: string) {
  const { account } = await service.accounts.getAccount(
    { accountId },
    { deadlineMs: PATIENCE_MS, accessToken: service.tokens.operator },
  );
  if (!account?.balance || !account.usage) throw new Error('no account');
  return { ...account, balance: account.balance, usage: account.usage };
}

function nth<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`there is no element ${index}`);
  return found;
}
