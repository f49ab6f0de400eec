import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import { connectGrpc, type GrpcServer, type Neighbour, type RoleName, serveGrpc } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  attackedList,
  createTestIdentity,
  expectTokensToBeBound,
  PATIENCE_MS,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { ReconciliationServiceClient, ReconciliationServiceService } from '@payflowx/proto/ledger';
import { RecordKind } from '@payflowx/proto/notification';
import { type Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runIfDue } from '../src/reconciliation/app/schedule.ts';
import { connectFigures } from '../src/reconciliation/clients/figures.ts';
import { startReconciliation } from '../src/reconciliation/start.ts';
import { storedBalances } from '../src/reconciliation/store/balances.ts';
import type { ReconciliationDatabase } from '../src/reconciliation/store/database.ts';
import { createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { type FakeNeighbours, startNeighbours } from './reconciliation-neighbours.ts';

const identity = createTestIdentity();
const certificates = testCertificates('ledger');
const GAP_MS = 10;

let ledger: LedgerDatabase;
let owner: Kysely<ReconciliationDatabase>;
let neighbours: FakeNeighbours;
let instance: Instance;
let other: Instance;

type Client = Neighbour<ReconciliationServiceService>;
interface Instance {
  client: Client;
  stop(): Promise<void>;
}

async function startInstance(targets: FakeNeighbours['targets']): Promise<Instance> {
  const settings = { gapMs: GAP_MS, rereadings: 4 };
  const config = { postgresUrl: ledger.url, targets, everyMs: 0, settings };
  const part = startReconciliation(config, certificates, testLog);
  const { verifier } = identity;
  const server: GrpcServer = await serveGrpc(
    {
      host: '127.0.0.1',
      port: 0,
      reflection: false,
      pageTokenKey: testPageTokenKey,
      certificates,
      verifier,
      log: testLog,
    },
    [part.service],
  );
  const client = connectGrpc(ReconciliationServiceClient, {
    target: `ipv4:127.0.0.1:${server.port}`,
    certificates: testCertificates(),
  });
  return {
    client,
    async stop() {
      client.close();
      part.abort();
      await server.drain();
      await part.stop();
    },
  };
}

beforeAll(async () => {
  [ledger, neighbours] = await Promise.all([createLedgerDatabase(), startNeighbours(identity)]);
  owner = openDatabase<ReconciliationDatabase>({ url: ledger.migrateUrl, poolMax: 1 }, testLog);
  const targets = neighbours.targets;
  [instance, other] = await Promise.all([startInstance(targets), startInstance(targets)]);
});
afterAll(async () => {
  for (const each of [instance, other]) await each?.stop();
  await neighbours?.stop();
  await owner?.destroy();
  await ledger?.drop();
});
beforeEach(async () => {
  await sql`truncate balances`.execute(owner);
  for (const figures of Object.values(neighbours.figures)) figures.clear();
});
afterEach(() => neighbours.beforeResponse(undefined));

const as = async (role: RoleName) => ({
  deadlineMs: PATIENCE_MS,
  accessToken: await identity.tokenFor({ id: `usr_${role}`, roles: [role] }),
});
async function run(by = instance) {
  const { reconciliation } = await by.client.runReconciliation({}, await as('operator'));
  if (!reconciliation) throw new Error('no report');
  return reconciliation;
}

/** Writes a balance of the ledger itself. */
const keep = (accountId: string, posted: bigint, held: bigint) =>
  sql`insert into balances (account_id, currency, posted_minor, pending_minor, held_minor)
    values (${accountId}, 'EUR', ${posted}, ${-held}, ${held})`.execute(ledger.db);

/** All five services agree: the account received 100, sent 30, holds 5, and its owner got three notifications. */
async function agreeOn(...accountIds: string[]) {
  const { authorization, payment, analytics, notification } = neighbours.figures;
  for (const id of accountIds) {
    const balance = { postedMinor: 70n, heldMinor: 5n };
    const turnover = { sentMinor: 30n, receivedMinor: 100n };
    authorization.set(id, balance);
    payment.set(id, { ...balance, ...turnover, notificationCount: 3n, pendingCount: 0n });
    analytics.set(id, turnover);
    notification.set(id, { notificationCount: 3n });
    await keep(id, balance.postedMinor, balance.heldMinor);
  }
}

/** Adds the given amounts to a service's figures of the account. */
function shift<B extends Record<string, bigint>>(figures: Map<string, B>, id: string, by: Partial<B>) {
  const known = figures.get(id) as B;
  const changed = Object.entries(by).map(([name, value]) => [name, (known[name] ?? 0n) + (value as bigint)]);
  figures.set(id, { ...known, ...Object.fromEntries(changed) });
}

const ACCOUNTS = ['acct_a', 'acct_b', 'acct_c', 'acct_d', 'acct_e', 'acct_f', 'acct_g', 'external:EUR'];

describe('a reconciliation', () => {
  it('holds if all services agree, and services that do not know an empty account agree too', async () => {
    await agreeOn(...ACCOUNTS);
    const { authorization, payment, analytics, notification } = neighbours.figures;
    authorization.set('acct_new', { postedMinor: 0n, heldMinor: 0n });
    authorization.set('external:USD', { postedMinor: -9n, heldMinor: 0n });
    const silent = { sentMinor: 0n, receivedMinor: 0n, notificationCount: 0n, pendingCount: 0n };
    payment.set('external:USD', { postedMinor: -9n, heldMinor: 0n, ...silent });
    await keep('external:USD', -9n, 0n);
    payment.set('acct_tried', { postedMinor: 0n, heldMinor: 0n, ...silent, notificationCount: 1n });
    notification.set('acct_tried', { notificationCount: 1n });
    analytics.set('acct_tried', { sentMinor: 0n, receivedMinor: 0n });
    expect(await run()).toMatchObject({
      holds: true,
      differences: [],
      differenceCount: 0n,
      unsettledCount: 0n,
      accountCount: BigInt(ACCOUNTS.length + 3),
      requestedBy: 'usr_operator',
    });
  });

  const one = (figure: string, expectedBy: string, expected: bigint, foundBy: string, found: bigint) => ({
    accountId: 'acct_d',
    currency: figure === 'notifications' ? '' : 'EUR',
    figure,
    expectedBy,
    expected,
    foundBy,
    found,
    expectedSum: expected.toString(),
    foundSum: found.toString(),
  });
  const of = () => neighbours.figures;
  it.each([
    [
      'authorization',
      () => shift(of().authorization, 'acct_d', { postedMinor: 1n }),
      one('posted', 'ledger', 70n, 'authorization', 71n),
    ],
    [
      'ledger',
      () =>
        sql`update balances set held_minor = held_minor - 1 where account_id = 'acct_d'`.execute(ledger.db),
      one('held', 'authorization', 5n, 'ledger', 4n),
    ],
    [
      'payment',
      () => shift(of().payment, 'acct_d', { postedMinor: -1n }),
      one('posted', 'authorization', 70n, 'payment', 69n),
    ],
    [
      'analytics',
      () => shift(of().analytics, 'acct_d', { receivedMinor: 1n }),
      one('received', 'payment', 100n, 'analytics', 101n),
    ],
    [
      'notification',
      () => of().notification.delete('acct_d'),
      one('notifications', 'payment', 3n, 'notification', 0n),
    ],
  ])('names the account where %s is off by one', async (_, injure, difference) => {
    await agreeOn(...ACCOUNTS);
    await injure();
    const report = await run();
    expect(report).toMatchObject({ holds: false, differenceCount: 1n, unsettledCount: 0n });
    expect(report.differences).toEqual([difference]);
    const { reconciliation } = await instance.client.getReconciliation(
      { reconciliationId: report.id },
      await as('auditor'),
    );
    expect(reconciliation).toEqual(report);
  });

  it('reports the events, deliveries and mails that notification lacks, account by account', async () => {
    await agreeOn('acct_d');
    const { missing } = neighbours;
    missing.push(
      { accountId: 'acct_d', kind: RecordKind.EVENT, count: 2n },
      { accountId: 'acct_d', kind: RecordKind.DELIVERY, count: 1n },
      { accountId: 'acct_d', kind: RecordKind.MAIL, count: 3n },
    );
    const report = await run();
    missing.length = 0;
    expect(report).toMatchObject({ holds: false, differenceCount: 3n, unsettledCount: 0n });
    const lost = (figure: string, found: bigint) => ({
      ...one(figure, 'payment', 0n, 'notification', found),
      currency: '',
    });
    expect(report.differences).toEqual([
      lost('missing_events', 2n),
      lost('missing_deliveries', 1n),
      lost('missing_mails', 3n),
    ]);
    const stored = { reconciliationId: report.id };
    expect(await instance.client.getReconciliation(stored, await as('auditor'))).toEqual({
      reconciliation: report,
    });
    expect(await run()).toMatchObject({ holds: true });
  });

  it('compares the rest with a notification of an earlier version', async () => {
    const old = await startNeighbours(identity, { isNotificationOld: true });
    const upgraded = await startInstance(old.targets);
    expect(await run(upgraded)).toMatchObject({ holds: true });
    await upgraded.stop();
    await old.stop();
  });

  it('compares turnover beyond int64, and reports every digit', async () => {
    await agreeOn('acct_a');
    const turnover = 2n ** 70n;
    for (const figures of [neighbours.figures.payment, neighbours.figures.analytics]) {
      shift(figures as Map<string, { sentMinor: bigint }>, 'acct_a', { sentMinor: turnover });
    }
    expect(await run()).toMatchObject({ holds: true });
    shift(neighbours.figures.analytics, 'acct_a', { sentMinor: 1n });
    const { id = '', differences } = await run();
    const [expectedSum, foundSum] = [turnover + 30n, turnover + 31n].map(String);
    expect(differences).toMatchObject([{ figure: 'sent', expectedSum, foundSum, expected: 0n, found: 0n }]);
    const stored = await instance.client.getReconciliation({ reconciliationId: id }, await as('operator'));
    expect(stored.reconciliation?.differences).toEqual(differences);
  });

  it('lists the first hundred differences, and counts all', async () => {
    const ids = Array.from({ length: 120 }, (_, index) => `acct_${index}`).sort();
    await agreeOn(...ids);
    for (const id of ids) shift(neighbours.figures.analytics, id, { sentMinor: 1n });
    const report = await run();
    expect(report.differenceCount).toBe(120n);
    expect(report.differences.map(({ accountId }) => accountId)).toEqual(ids.slice(0, 100));
  });

  it('finds the same differences as a comparison in memory, for any set of accounts that each service knows', async () => {
    const ids = Array.from({ length: 400 }, (_, index) => `acct_${(index * 7919) % 400}`);
    const known = (id: string, salt: number) => (Number(id.slice(5)) * 31 + salt) % 4 !== 0;
    const expected: string[] = [];
    const { authorization } = neighbours.figures;
    for (const id of ids) {
      const [inAuthorization, inLedger] = [known(id, 1), known(id, 2)];
      if (inAuthorization) authorization.set(id, { postedMinor: 8n, heldMinor: 0n });
      if (inLedger) await keep(id, 8n, 0n);
      // Payment knows none of these accounts, so its figures are 0. It agrees with services that do not know the account either.
      if (inAuthorization && inLedger) expected.push(`${id} payment 0`);
      else if (inAuthorization) expected.push(`${id} authorization 8`);
      else if (inLedger) expected.push(`${id} ledger 8`);
    }
    const report = await run();
    expect(report.differenceCount).toBe(BigInt(expected.length));
    const listed = report.differences.map(
      ({ accountId, foundBy, found }) => `${accountId} ${foundBy} ${found}`,
    );
    expect(listed).toEqual(expected.sort(byAccountId).slice(0, 100));
  });
});

function byAccountId(a: string, b: string) {
  return (a.split(' ')[0] ?? '') < (b.split(' ')[0] ?? '') ? -1 : 1;
}

describe('while money moves', () => {
  it('reports nothing for accounts that agree in the second reading, and reads no other accounts again', async () => {
    await agreeOn(...ACCOUNTS);
    shift(neighbours.figures.analytics, 'acct_b', { sentMinor: -30n });
    const again: string[][] = [];
    neighbours.beforeResponse((neighbour, { accountIds }) => {
      if (neighbour !== 'analytics' || accountIds.length === 0) return;
      again.push(accountIds);
      shift(neighbours.figures.analytics, 'acct_b', { sentMinor: 30n });
    });
    expect(await run()).toMatchObject({ holds: true, unsettledCount: 0n });
    expect(again).toEqual([['acct_b']]);
  });

  it('reports an account with changing figures as unsettled, and one with stable figures as different', async () => {
    await agreeOn(...ACCOUNTS);
    shift(neighbours.figures.authorization, 'acct_c', { postedMinor: 1n });
    shift(neighbours.figures.analytics, 'acct_e', { sentMinor: 1n });
    // Each reading finds another payment, and the ledger is always one behind.
    neighbours.beforeResponse((neighbour) => {
      if (neighbour === 'authorization')
        shift(neighbours.figures.authorization, 'acct_c', { postedMinor: 1n });
    });
    expect(await run()).toMatchObject({
      holds: false,
      differenceCount: 1n,
      differences: [{ accountId: 'acct_e' }],
      unsettledCount: 1n,
    });
  });

  it('waits for the outcome of payments that are not settled or published', async () => {
    await agreeOn(...ACCOUNTS);
    shift(neighbours.figures.authorization, 'acct_c', { postedMinor: -10n });
    shift(neighbours.figures.payment, 'acct_c', { pendingCount: 1n });
    expect(await run()).toMatchObject({ holds: true, unsettledCount: 1n });
    shift(neighbours.figures.payment, 'acct_c', { pendingCount: -1n });
    expect(await run()).toMatchObject({ holds: false, differences: [{ accountId: 'acct_c' }] });
  });
});

describe('two reconciliations', () => {
  it('never run at the same time, on the same or another instance', async () => {
    await agreeOn(...ACCOUNTS);
    let answer = () => {};
    const gate = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let isAsked = false;
    neighbours.beforeResponse(() => {
      isAsked = true;
      return gate;
    });
    const first = run(instance);
    await expect.poll(() => isAsked).toBe(true);
    for (const by of [instance, other]) {
      await expect(run(by)).rejects.toMatchObject({
        code: status.ABORTED,
        reason: 'RECONCILIATION_RUNNING',
        retryAfterMs: 5_000,
      });
    }
    answer();
    expect(await first).toMatchObject({ holds: true });
    expect(await run(other)).toMatchObject({ holds: true });
  });

  it('do not block each other if one is killed', async () => {
    const script = fileURLToPath(new URL('./reconciling-process.ts', import.meta.url));
    const child = spawn(process.execPath, [script, ledger.url], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    await expect(run()).rejects.toMatchObject({ reason: 'RECONCILIATION_RUNNING' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect.poll(() => run().then(({ holds }) => holds), { timeout: PATIENCE_MS }).toBe(true);
  });
});

describe('an unavailable service', () => {
  it.each(['authorization', 'payment', 'analytics', 'notification'] as const)(
    'is named, and no report is made: %s',
    async (unavailable) => {
      const alone = await startInstance({
        ...neighbours.targets,
        [unavailable]: 'ipv4:127.0.0.1:1',
      });
      const before = await listed();
      await expect(run(alone)).rejects.toMatchObject({
        code: status.UNAVAILABLE,
        reason: 'NEIGHBOUR_UNAVAILABLE',
        message: `The ${unavailable} service does not answer.`,
      });
      expect(await listed()).toEqual(before);
      // The lock is released too.
      expect(await run()).toMatchObject({ holds: true });
      await alone.stop();
    },
  );
});

async function listed(pageSize = 100, pageToken = '') {
  const page = await instance.client.listReconciliations({ pageSize, pageToken }, await as('auditor'));
  return page.reconciliations.map(({ id }) => id);
}

describe('reports', () => {
  it('are listed newest first, page by page, without their differences', async () => {
    await agreeOn('acct_a');
    shift(neighbours.figures.analytics, 'acct_a', { sentMinor: 1n });
    const [first, second] = [await run(), await run()];
    const page = await instance.client.listReconciliations(
      { pageSize: 1, pageToken: '' },
      await as('operator'),
    );
    expect(page.reconciliations).toEqual([{ ...second, differences: [] }]);
    const rest = await instance.client.listReconciliations(
      { pageSize: 1, pageToken: page.nextPageToken },
      await as('operator'),
    );
    expect(rest.reconciliations).toEqual([{ ...first, differences: [] }]);
    expect(second).toMatchObject({ differenceCount: 1n, differences: [{ accountId: 'acct_a' }] });
    await expectTokensToBeBound([ReconciliationServiceService], {
      listReconciliations: attackedList({
        call: instance.client.listReconciliations,
        filters: {},
        as: await as('operator'),
        otherCallers: [await as('auditor')],
        otherFilters: [],
      }),
    });
  });

  it('are not found if they do not exist', async () => {
    const reading = instance.client.getReconciliation({ reconciliationId: 'rec_none' }, await as('auditor'));
    await expect(reading).rejects.toMatchObject({
      code: status.NOT_FOUND,
      reason: 'RECONCILIATION_NOT_FOUND',
    });
  });

  it.each([
    'update reconciliations set difference_count = 0',
    'delete from reconciliation_differences',
    'truncate reconciliation_differences, reconciliations',
  ])('cannot be changed, not by the owner of the tables either: %s', async (change) => {
    await expect(sql.raw(change).execute(owner)).rejects.toThrow('append-only');
  });

  it('are made by operators only, and also read by auditors', async () => {
    const denied = { code: status.PERMISSION_DENIED };
    for (const role of ['customer', 'auditor'] as const) {
      await expect(instance.client.runReconciliation({}, await as(role))).rejects.toMatchObject(denied);
    }
    const customer = await as('customer');
    const list = { pageSize: 0, pageToken: '' };
    await expect(instance.client.listReconciliations(list, customer)).rejects.toMatchObject(denied);
    const one = { reconciliationId: 'rec_1' };
    await expect(instance.client.getReconciliation(one, customer)).rejects.toMatchObject(denied);
  });
});

describe('the schedule', () => {
  it('runs when the last report is old enough, once among all instances', async () => {
    const hour = 3_600_000;
    const figures = connectFigures({
      targets: neighbours.targets,
      certificates,
      signal: new AbortController().signal,
    });
    const db = openDatabase<ReconciliationDatabase>({ url: ledger.url, poolMax: 5 }, testLog);
    const at = (now: number) => ({
      db,
      settings: { gapMs: GAP_MS, rereadings: 1 },
      log: testLog,
      now: () => new Date(now),
      pause: async () => {},
      figuresOf: (ids?: readonly string[]) => ({
        ...figures.figuresOf(ids),
        ledger: storedBalances(db, ids),
      }),
      missingRecords: () => figures.missingRecords(),
    });
    await run();
    expect(await runIfDue(at(Date.now() + hour / 2), hour)).toBe(false);
    const later = at(Date.now() + 2 * hour);
    const ran = await Promise.all([runIfDue(later, hour), runIfDue(later, hour)]);
    expect(ran.filter(Boolean)).toHaveLength(1);
    expect(await runIfDue(later, hour)).toBe(false);
    const [newest] = await listed();
    const { reconciliation } = await instance.client.getReconciliation(
      { reconciliationId: newest ?? '' },
      await as('auditor'),
    );
    expect(reconciliation?.requestedBy).toBe('');
    figures.close();
    await db.destroy();
  });
});
