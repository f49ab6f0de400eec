/**
 * The real authorization service, in this process, on a database of its own. Accounts are opened and paid into by its RPCs, so every
 * decision in these tests has its real cause.
 */
import { authorizationServices, type Database, MIGRATIONS } from '@payflowx/authorization/services';
import {
  type BoundService,
  connectGrpc,
  createBatcher,
  fromRpcStatus,
  type Neighbour,
  newId,
  ok,
  serveGrpc,
} from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  createTestDatabase,
  PATIENCE_MS,
  type TestIdentity,
  testCertificates,
  testLog,
  testPageTokenKey,
  untilKnown,
} from '@payflowx/chassis/testing';
import { Role } from '@payflowx/proto/auth';
import {
  AccountServiceClient,
  type AccountServiceService,
  type AccountState,
  AuthorizationServiceClient,
  AuthorizationServiceService,
  type AuthorizeItem,
  CaptureMode,
  MandateServiceClient,
  type MandateServiceService,
  type RuleAction,
  RuleServiceClient,
} from '@payflowx/proto/authorization';
import type { Kysely } from 'kysely';
import { type AuthorizationFaults, withFaults } from './authorization-faults.ts';

export interface Opening {
  ownerId: string;
  currency: string;
  /** The money that is paid in, in minor units. */
  funds: bigint;
}

export interface Balance {
  postedMinor: bigint;
  heldMinor: bigint;
}

export interface RealAuthorization extends AuthorizationFaults {
  target: string;
  /** Its RPCs, as payment calls them. */
  rpc: Neighbour<AuthorizationServiceService>;
  /** Its RPCs for payers and payees. */
  mandates: Neighbour<MandateServiceService>;
  /** Opens an account and pays the funds in. Concurrent openings share their calls. */
  openAccount(opening: Opening): Promise<string>;
  changeState(account: string, state: AccountState): Promise<void>;
  /** Makes a rule. Returns the function that disables it. */
  makeRule(rule: { name: string; expression: string; action: RuleAction }): Promise<() => Promise<void>>;
  /** The balance of each account, without the funds of its opening. */
  movedIn(...accounts: string[]): Promise<Balance[]>;
  /** The number of decisions that approved this payment. */
  approvals(paymentId: string): Promise<number>;
  /** The hold of a payment. Throws if there is none. */
  holdOf(paymentId: string): Promise<{ remainingMinor: bigint; expiresAt: Date }>;
  /** Locks the balances of accounts in a session of its own. Returns the function that frees them. */
  lockAccounts(...accounts: string[]): Promise<() => Promise<void>>;
  /** Milliseconds that its clock is ahead of ours. */
  setClockAhead(byMs: number): void;
  stop(): Promise<void>;
}

/** Opens accounts and pays into them. Owns none. */
const TREASURER = { id: 'usr_treasurer', roles: ['operator'] as const };
const SETTINGS = { holdTtlMs: 60_000, simulationsPerMinute: 1_000, log: testLog };

export async function startRealAuthorization(
  identity: TestIdentity,
  settings: { simulationsPerMinute?: number; sandbox?: boolean } = {},
): Promise<RealAuthorization> {
  const database = await createTestDatabase({ service: 'authorization', migrations: MIGRATIONS });
  const db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
  const clock = { aheadMs: 0 };
  const now = () => new Date(Date.now() + clock.aheadMs);
  const start = () => authorizationServices({ ...SETTINGS, ...settings, db, backtestDb: db, now });
  let current = start();
  const drained: Promise<void>[] = [];

  const { service, faults } = withFaults({
    current: () => serviceOf(current.services),
    aheadMs: () => clock.aheadMs,
    exempt: TREASURER.id,
  });
  const others = current.services.filter(({ definition }) => definition !== service.definition);
  const certificates = testCertificates('authorization');
  const server = await serveGrpc(
    {
      host: '127.0.0.1',
      port: 0,
      reflection: false,
      pageTokenKey: testPageTokenKey,
      certificates,
      verifier: identity.verifier,
      log: testLog,
    },
    [service, ...others],
  );
  const target = `ipv4:127.0.0.1:${server.port}`;
  const rpc = connectGrpc<AuthorizationServiceService>(AuthorizationServiceClient, {
    target,
    certificates: testCertificates('payment'),
  });
  const asUser = { target, certificates: testCertificates() };
  const accounts = connectGrpc<AccountServiceService>(AccountServiceClient, asUser);
  const rules = connectGrpc(RuleServiceClient, asUser);
  const mandates = connectGrpc<MandateServiceService>(MandateServiceClient, asUser);
  const asTreasurer = async () => ({
    deadlineMs: PATIENCE_MS,
    accessToken: await identity.tokenFor(TREASURER),
  });

  const funds = new Map<string, bigint>();
  const openings = createBatcher<Opening, string>({
    maxSize: 500,
    async flush(openings) {
      const opened = await openAll(accounts, openings, await asTreasurer());
      await payIn(rpc, opened, now());
      for (const { id, funds: paidIn } of opened) funds.set(id, paidIn);
      return opened.map(({ id }) => ok(id));
    },
  });

  return {
    ...faults,
    target,
    rpc,
    mandates,
    openAccount: (opening) => openings.submit(opening),
    async changeState(accountId, state) {
      const request = { accountId, state, expectedVersion: 0n, reason: '' };
      await accounts.changeAccountState(request, await asTreasurer());
    },
    async makeRule(given) {
      const request = { ...given, requestId: newId('req'), message: '', enabled: true };
      const { rule } = await rules.createRule(request, await asTreasurer());
      if (!rule) throw new Error('There is no rule.');
      const { id: ruleId, version: expectedVersion } = rule;
      return async () => {
        const change = { expression: undefined, action: rule.action, message: undefined, enabled: false };
        await rules.updateRule({ ruleId, expectedVersion, ...change }, await asTreasurer());
      };
    },
    async movedIn(...ids) {
      const rows = await db
        .selectFrom('balances')
        .select(['account_id', 'posted', 'held'])
        .where('account_id', 'in', ids)
        .execute();
      return ids.map((id) => {
        const row = rows.find(({ account_id }) => account_id === id);
        if (!row) throw new Error(`There is no account ${id}.`);
        return { postedMinor: row.posted - (funds.get(id) ?? 0n), heldMinor: row.held };
      });
    },
    async approvals(paymentId) {
      const decisions = db.selectFrom('decisions').select('operation_id').where('payment_id', '=', paymentId);
      const approved = decisions.where('kind', '=', 'AUTHORIZE').where('outcome', '=', 'APPROVED');
      return (await approved.execute()).length;
    },
    async holdOf(paymentId) {
      const holds = db.selectFrom('holds').select(['remaining', 'expires_at']);
      const found = holds.where('payment_id', '=', paymentId).executeTakeFirstOrThrow();
      const { remaining, expires_at } = await found;
      return { remainingMinor: remaining, expiresAt: expires_at };
    },
    lockAccounts: (...accounts) => lockBalances(db, accounts),
    setClockAhead(byMs) {
      if (byMs === clock.aheadMs) return;
      clock.aheadMs = byMs;
      // It measures the difference of the clocks over a minute. A new instance begins without measurements.
      drained.push(current.drain());
      current = start();
    },
    async stop() {
      for (const client of [rpc, accounts, rules, mandates]) client.close();
      await server.drain();
      await Promise.all([...drained, current.drain(), openings.drain()]);
      await db.destroy();
      await database.drop();
    },
  };
}

function serviceOf(services: readonly BoundService[]): BoundService {
  const found = services.find(({ definition }) => definition === AuthorizationServiceService);
  if (!found) throw new Error('There is no authorization service.');
  return found;
}

type Opened = Opening & { id: string };

async function openAll(
  accounts: Neighbour<AccountServiceService>,
  openings: readonly Opening[],
  call: { deadlineMs: number; accessToken: string },
): Promise<Opened[]> {
  const items = openings.map(({ ownerId, currency }) => ({
    requestId: newId('req'),
    ownerId,
    currency,
    name: '',
    limits: undefined,
    timeZone: '',
    externalId: '',
    metadata: {},
  }));
  const { results } = await untilKnown(() => accounts.batchCreateAccounts({ items }, call));
  return results.map(({ result }, index) => {
    if (result?.$case !== 'account') throw result ? fromRpcStatus(result.value) : new Error('No result.');
    return { ...(openings[index] as Opening), id: result.value.id };
  });
}

/** Pays the funds into new accounts, as deposits of an operator. */
async function payIn(
  rpc: Neighbour<AuthorizationServiceService>,
  opened: readonly Opened[],
  sentAt: Date,
): Promise<void> {
  const items = opened.filter(({ funds }) => funds > 0n).map(depositOf);
  if (items.length === 0) return;
  const { results } = await untilKnown(() =>
    rpc.batchAuthorize({ items, sentAt }, { deadlineMs: PATIENCE_MS }),
  );
  for (const { result } of results) {
    if (result?.$case === 'error') throw fromRpcStatus(result.value);
    if (result?.value.code !== '') throw new Error('A deposit was declined.');
  }
}

function depositOf({ id, currency, funds }: Opened): AuthorizeItem {
  const paymentId = newId('pay');
  return {
    paymentId,
    operationId: paymentId,
    fromAccount: `external:${currency}`,
    toAccount: id,
    amountMinor: funds,
    currency,
    captureMode: CaptureMode.AUTOMATIC,
    callerId: TREASURER.id,
    callerRoles: [Role.OPERATOR],
    holdExpiresAt: undefined,
    holdSeconds: 0,
    traceparent: '',
    deadline: undefined,
    description: '',
    reference: '',
    metadata: {},
    mandateId: '',
  };
}

async function lockBalances(db: Kysely<Database>, ids: readonly string[]): Promise<() => Promise<void>> {
  const session = await db.startTransaction().execute();
  const rows = session.selectFrom('balances').select('account_id').where('account_id', 'in', ids);
  const locked = await rows.forUpdate().execute();
  if (locked.length !== ids.length) throw new Error('Not all accounts exist.');
  return async () => {
    if (!session.isRolledBack) await session.rollback().execute();
  };
}
