/** The database goes back to an earlier moment, and comes back from the decisions that payment stored. */
import { newId } from '@payflowx/chassis';
import { openDatabase, requireStopped } from '@payflowx/chassis/postgres';
import { testLog } from '@payflowx/chassis/testing';
import { type AuthorizeItem, CaptureMode, DecidedStep, Decision } from '@payflowx/proto/authorization';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { restoreDecisions } from '../src/app/restore-decisions.ts';
import type { Database } from '../src/store/database.ts';
import { expectBooksToBalance } from './books.ts';
import {
  accountOf,
  cancelOf,
  captureOf,
  deposit,
  expiryOf,
  item,
  openAccount,
  openMandate,
  type RunningService,
  refundOf,
  startService,
} from './running-service.ts';

let service: RunningService;
/** The restore runs as the owner of the database. */
let owner: Kysely<Database>;
let now = new Date('2025-03-10T09:00:00Z');
/** The decisions that payment has stored. */
let recorded: Uint8Array[] = [];
let alice: string;
let bob: string;

beforeAll(async () => {
  service = await startService({ now: () => now });
  owner = openDatabase<Database>({ url: service.adminUrl, poolMax: 2 }, testLog);
});
beforeEach(async () => {
  recorded = [];
  const limits = { dailyMinor: 5_000n, monthlyMinor: 9_000n, perPaymentMinor: undefined, dailyCount: 50 };
  alice = await openAccount(service, { balance: 1_000n, limits, timeZone: 'Europe/Berlin' });
  bob = await openAccount(service, { ownerId: 'usr_bob' });
});
afterAll(async () => {
  await owner?.destroy();
  await service?.stop();
});

const MINUTE_MS = 60_000;
const pass = (ms = 10) => {
  now = new Date(now.getTime() + ms);
};

function record(request: DecidedStep['request'], decision: Decision | undefined): Decision {
  if (!decision) throw new Error('no decision');
  recorded.push(
    DecidedStep.encode({ request, decision: Buffer.from(Decision.encode(decision).finish()) }).finish(),
  );
  pass();
  return decision;
}

async function pay(change: Partial<AuthorizeItem> = {}): Promise<{ paymentId: string; decision: Decision }> {
  const value = item({ fromAccount: alice, toAccount: bob, ...change });
  const [answer] = await service.authorize(value);
  const decision = record({ $case: 'authorize', value }, answer?.decision);
  return { paymentId: value.paymentId, decision };
}

const hold = (change: Partial<AuthorizeItem> = {}) => pay({ captureMode: CaptureMode.MANUAL, ...change });

async function capture(paymentId: string, change: { amountMinor?: bigint; final?: boolean } = {}) {
  const value = captureOf(paymentId, change);
  const { decision } = await service.capture(value);
  return { value, decision: record({ $case: 'capture', value }, decision) };
}

async function release(value: ReturnType<typeof cancelOf>) {
  const { decision } = await service.release(value);
  record({ $case: 'release', value }, decision);
}

async function refund(paymentId: string, amountMinor: bigint) {
  const value = refundOf({ paymentId, fromAccount: bob, toAccount: alice, amountMinor });
  const { decision } = await service.refund(value);
  record({ $case: 'refund', value }, decision);
}

const TABLES = [
  ...['accounts', 'balances', 'mandates', 'decisions', 'holds'],
  ...['account_requests', 'account_audit_records'],
];

/** All rows. Facts of payments, for backtests, are not restored. */
async function contents(tables = ['balances', 'decisions', 'holds', 'mandates']) {
  const all: Record<string, unknown[]> = {};
  for (const table of tables) {
    const { rows } = await service.sql(`select to_jsonb(t) - 'facts' as row from ${table} as t order by 1`);
    all[table] = rows.map(({ row }) => row);
  }
  return all;
}

/** Returns a function that loses everything since, as a restored backup does. */
async function rememberDatabase(): Promise<() => Promise<void>> {
  for (const table of TABLES) await service.sql(`create table past_${table} as table ${table}`);
  return async () => {
    const reversed = TABLES.toReversed();
    await service.sql(
      [
        'begin',
        // Append-only tables refuse even the owner.
        'set local session_replication_role = replica',
        ...reversed.map((table) => `delete from ${table}`),
        ...TABLES.map(
          (table) => `insert into ${table} select * from past_${table}; drop table past_${table}`,
        ),
        'commit',
      ].join('; '),
    );
  };
}

async function* from(steps: readonly Uint8Array[]) {
  yield* steps;
}
const restore = (steps = recorded, isReal = true) =>
  restoreDecisions({ db: owner, log: testLog, isReal }, from(steps));

it('decisions, balances, holds and the use of limits come back as they were', async () => {
  const early = await hold({ amountMinor: 100n });
  await capture(early.paymentId, { amountMinor: 10n });
  const lose = await rememberDatabase();

  await pay({ amountMinor: 50n, description: 'é', metadata: { b: 'ü', a: '' } });
  await capture(early.paymentId, { amountMinor: 20n, final: true });
  const open = await hold({ amountMinor: 200n, holdSeconds: 3_600 });
  await capture(open.paymentId, { amountMinor: 30n });
  await refund(open.paymentId, 5n);
  await pay({ amountMinor: 100_000n });
  const cancelled = await hold({ amountMinor: 40n });
  await release(cancelOf(cancelled.paymentId));
  // Of yesterday's use, only the month is given back.
  const yesterday = await hold({ amountMinor: 60n });
  const expiring = await hold({ amountMinor: 7n, holdExpiresAt: new Date(now.getTime() + MINUTE_MS) });
  pass(24 * 60 * MINUTE_MS);
  await pay({ amountMinor: 3n });
  await capture(yesterday.paymentId, { amountMinor: 1n }).catch(() => undefined);
  await release(expiryOf(expiring.paymentId));
  const declined = await capture(cancelled.paymentId);
  expect(declined.decision.code).toBe('HOLD_NOT_OPEN');
  const before = await contents();

  await lose();
  expect(await contents()).not.toEqual(before);
  const lost = await contents();
  const missing = { known: 2, accounts: [] };
  expect(await restore(recorded, false)).toMatchObject(missing);
  expect(await contents()).toEqual(lost);
  expect(await restore(recorded.toReversed())).toMatchObject({ ...missing, restored: recorded.length - 2 });
  expect(await contents()).toEqual(before);
  await expectBooksToBalance(service);

  expect(await restore()).toMatchObject({ known: recorded.length, restored: 0, changedAccounts: 0 });
  expect(await contents()).toEqual(before);
});

const collect = (mandateId: string, change: Partial<AuthorizeItem> = {}) =>
  pay({ callerId: 'usr_bob', mandateId, ...change });

it('the use of mandates comes back, also by holds that were partly released', async () => {
  const { id } = await openMandate(service, { fromAccount: alice, toAccount: bob, now });
  const early = await collect(id, { captureMode: CaptureMode.MANUAL, amountMinor: 100n });
  const lose = await rememberDatabase();
  await collect(id, { amountMinor: 7n });
  const late = await collect(id, { captureMode: CaptureMode.MANUAL, amountMinor: 90n });
  await capture(late.paymentId, { amountMinor: 20n, final: true });
  await capture(early.paymentId, { amountMinor: 60n });
  await release(cancelOf(early.paymentId));
  const before = await contents();
  await lose();
  expect(await contents()).not.toEqual(before);
  await restore(recorded.toReversed());
  expect(await contents()).toEqual(before);
  const { rows } = await service.sql('select spent_today from mandates where id = $1', [id]);
  expect(rows).toEqual([{ spent_today: '87' }]);
});

it('collections come back without their mandate if it was lost too', async () => {
  const lose = await rememberDatabase();
  const { id } = await openMandate(service, { fromAccount: alice, toAccount: bob, now });
  pass();
  const { paymentId } = await collect(id, { captureMode: CaptureMode.MANUAL, amountMinor: 40n });
  await capture(paymentId, { amountMinor: 30n, final: true });
  const before = await contents(['balances', 'decisions', 'holds']);
  await lose();
  await restore();
  expect(await contents(['balances', 'decisions', 'holds'])).toEqual(before);
  recorded = [];
  expect((await collect(id)).decision.code).toBe('MANDATE_NOT_FOUND');
});

it('a repeated step gets its first decision again, and later decisions have later times', async () => {
  const lose = await rememberDatabase();
  const value = item({
    fromAccount: alice,
    toAccount: bob,
    amountMinor: 10n,
    captureMode: CaptureMode.MANUAL,
  });
  const first = await pay(value);
  const captured = await capture(first.paymentId, { amountMinor: 4n });
  await lose();
  await restore();
  const [again] = await service.authorize(value);
  expect(again?.decision).toEqual(first.decision);
  expect(await service.capture(captured.value)).toEqual({ decision: captured.decision, remainingMinor: 6n });
  // A clock that is a second behind.
  now = new Date(now.getTime() - 1_000);
  const next = await pay({ amountMinor: 1n });
  expect(next.decision.decidedAt?.getTime()).toBeGreaterThan(
    captured.decision.decidedAt?.getTime() ?? Infinity,
  );
  pass(2_000);
});

it('an account that was opened in the lost time comes back frozen, with its owner and its money', async () => {
  const lose = await rememberDatabase();
  const carol = await openAccount(service, { ownerId: 'usr_carol', currency: 'CHF' });
  const value = deposit(carol, 70n, 'CHF');
  const [answer] = await service.authorize(value);
  record({ $case: 'authorize', value }, answer?.decision);
  await lose();
  expect(await restore(recorded, false)).toMatchObject({ accounts: expect.arrayContaining([carol]) });
  await expect(accountOf(service, carol)).rejects.toMatchObject({ reason: 'ACCOUNT_NOT_FOUND' });
  await restore();
  expect(await accountOf(service, carol)).toMatchObject({
    ownerId: 'usr_carol',
    currency: 'CHF',
    balance: { postedMinor: 70n },
  });
  const { rows } = await service.sql('select state from balances where account_id = $1', [carol]);
  expect(rows).toEqual([{ state: 'FROZEN' }]);
  const { rows: audit } = await service.sql(
    'select actor_id, action from account_audit_records where account_id = $1',
    [carol],
  );
  expect(audit).toEqual([{ actor_id: 'restore', action: 'account.created' }]);
  await expectBooksToBalance(service);
});

it('nothing is restored if the service spent money after the loss that was no longer there', async () => {
  const lose = await rememberDatabase();
  await pay({ amountMinor: 900n });
  await lose();
  const [spent] = await service.authorize(item({ fromAccount: alice, toAccount: bob, amountMinor: 500n }));
  expect(spent?.decision?.code).toBe('');
  const before = await contents();
  await expect(restore()).rejects.toThrow(`1 accounts would be below zero: ${alice}`);
  await expect(restore(recorded, false)).rejects.toThrow('would be below zero');
  expect(await contents()).toEqual(before);
});

it('nothing is restored if a lost payment was decided again', async () => {
  const lose = await rememberDatabase();
  const value = item({ fromAccount: alice, toAccount: bob, amountMinor: 10n });
  await pay(value);
  await lose();
  pass();
  await service.authorize(value);
  await expect(restore()).rejects.toThrow(`1 payments were decided again after the loss: ${value.paymentId}`);
});

it('a run that is killed half-way has changed nothing, and a decision waits until a run has ended', async () => {
  const lose = await rememberDatabase();
  const { paymentId } = await hold({ amountMinor: 10n });
  await capture(paymentId, { amountMinor: 4n });
  await lose();
  const before = await contents();
  const { promise: isRead, resolve: wasRead } = Promise.withResolvers<void>();
  const { promise: killed, reject: kill } = Promise.withResolvers<never>();
  async function* interrupted() {
    yield* recorded;
    wasRead();
    await killed;
  }
  const run = restoreDecisions({ db: owner, log: testLog, isReal: true }, interrupted());
  run.catch(() => undefined);
  await isRead;
  let isDecided = false;
  const request = item({ fromAccount: alice, toAccount: bob, amountMinor: 1n });
  const deciding = service.authorize(request).finally(() => {
    isDecided = true;
  });
  const { rows } = await service.sql(
    "select mode from pg_locks where relation = 'balances'::regclass and mode = 'ExclusiveLock' and granted",
  );
  expect(rows).toHaveLength(1);
  expect(isDecided).toBe(false);
  expect(await contents()).toEqual(before);
  kill(new Error('killed'));
  await expect(run).rejects.toThrow('killed');
  await deciding;
  await service.sql('select 1');
});

it('a decision without a request or a hold names itself', async () => {
  const decision = Buffer.from(Decision.encode((await pay()).decision).finish());
  await expect(restore([DecidedStep.encode({ request: undefined, decision }).finish()])).rejects.toThrow(
    'no request',
  );
  const value = captureOf(newId('pay'));
  const orphan = DecidedStep.encode({ request: { $case: 'capture', value }, decision }).finish();
  await expect(restore([orphan])).rejects.toThrow(`The hold of ${value.paymentId} is missing`);
});

it('the command refuses to run beside the service', async () => {
  // The sessions of tests log in as superuser.
  const { username } = new URL(service.servingUrl);
  await expect(requireStopped(owner, username)).rejects.toThrow('The service runs');
  await expect(requireStopped(owner, 'payflowx_nobody')).resolves.toBeUndefined();
});
