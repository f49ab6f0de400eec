/**
 * Measures the cost of the seal, and the duration of balances, statements and the proof, with the environment of the tests:
 * `node test/measure-seal.ts [transactions]`. Prints one figure a line; the figures in README.md come from here.
 */
import { newId } from '@payflowx/chassis';
import { testLog } from '@payflowx/chassis/testing';
import { sql } from 'kysely';
import { recordTransactions } from '../src/app/record-transactions.ts';
import { sealBatch, startSealer } from '../src/app/seal-journal.ts';
import { listStatementEntries } from '../src/store/entries.ts';
import { sumBefore } from '../src/store/hourly-totals.ts';
import { findAuditPaths, findNewestHead } from '../src/store/seals.ts';
import { checkWholeSeal, compareAll, createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { transferOf } from './journal.ts';

const count = Number(process.argv[2] ?? 100_000);
const FLUSH = 200;
const ROUND = 5_000;
const ROUNDS = 11;
const BUSY_ENTRIES = 1_000_000;

async function timed(what: string, work: () => Promise<unknown>, items?: number): Promise<void> {
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  console.log(`${what}: ${ms.toFixed(1)} ms${items ? `, ${Math.round(items / (ms / 1000))}/s` : ''}`);
}

/** Works like the consumer: one batch after the other, between a hundred accounts. */
async function apply(ledger: LedgerDatabase, transactions: number): Promise<void> {
  for (let at = 0; at < transactions; at += FLUSH) {
    const flush = Array.from({ length: FLUSH }, (_, index) =>
      transferOf(1n, {}, [`acct_${(at + index) % 50}`, `acct_${50 + ((at + index) % 50)}`]),
    );
    await recordTransactions(ledger, flush);
  }
}

async function sealAll(ledger: LedgerDatabase): Promise<void> {
  while (await sealBatch({ db: ledger.db, now: () => new Date() }));
}

/**
 * With and without a sealer in turns, so that other load on the machine affects both alike. Both run in one process, as in the
 * service.
 */
async function measureApply(): Promise<void> {
  const quiet = await createLedgerDatabase();
  const sealed = await createLedgerDatabase();
  const took = { without: [] as number[], with: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    took.without.push(await durationOf(() => apply(quiet, ROUND)));
    const sealer = startSealer({ db: sealed.db, now: () => new Date() }, 1_000, testLog);
    took.with.push(await durationOf(() => apply(sealed, ROUND)));
    await sealer.stop();
  }
  for (const [what, durations] of Object.entries(took)) {
    const [best = 0, median = 0] = [0, ROUNDS >> 1].map((at) => durations.toSorted((a, b) => a - b)[at]);
    const rate = (ms: number) => Math.round(ROUND / (ms / 1000));
    console.log(`apply ${what} a sealer: median ${rate(median)}/s, best ${rate(best)}/s`);
  }
  await Promise.all([quiet.drop(), sealed.drop()]);
}

/** Reads the accounts as a proof does. */
async function foldAll(ledger: LedgerDatabase): Promise<void> {
  await compareAll(ledger);
}

async function durationOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function measureSeal(): Promise<void> {
  const ledger = await createLedgerDatabase();
  await apply(ledger, count);
  await timed(`seal a backlog of ${count}`, () => sealAll(ledger), count);
  await timed(`proof of ${count}: the seal`, () => checkWholeSeal(ledger), count);
  await timed(`proof of ${count}: balances and hours`, () => foldAll(ledger));
  const head = await findNewestHead(ledger.db);
  if (!head) throw new Error('nothing was sealed');
  await findAuditPaths(ledger.db, head, [0]);
  await timed('audit path of one transaction', () => findAuditPaths(ledger.db, head, [(count >> 1) + 77]));
  await ledger.drop();
}

/** One account with an entry every 30 seconds for a year, each with one of a thousand other accounts. */
async function fillAccount(ledger: LedgerDatabase): Promise<void> {
  const payment = newId('pay');
  for (let from = 0; from < BUSY_ENTRIES; from += 50_000) {
    await sql`
      with source as (
        select 'txn_busy-' || lpad(n::text, 10, '0') as id, n,
               date_trunc('milliseconds', timestamptz '2025-01-01 00:00Z' + n * (interval '365 days' / ${BUSY_ENTRIES}::int)) as at
        from generate_series(${from}::int, ${from + 49_999}::int) as n
      ), added as (
        insert into transactions (id, event_type, payment_id, created_at)
        select id, 'payment.completed', ${payment}, at from source
      ), queued as (
        insert into unsealed (transaction_id) select id from source
      )
      insert into postings (transaction_id, number, kind, debit_account, credit_account, amount_minor, currency, created_at)
      select id, 0, 'transfer', 'acct_other' || n % 1000, 'acct_busy', 1, 'EUR', at from source`.execute(
      ledger.db,
    );
  }
}

async function measureBusyAccount(): Promise<void> {
  const ledger = await createLedgerDatabase();
  await fillAccount(ledger);
  await timed(`seal ${BUSY_ENTRIES} entries of one account`, () => sealAll(ledger), BUSY_ENTRIES);
  for (const day of ['2025-01-03', '2025-07-03', '2025-12-30']) {
    const from = new Date(`${day}T12:34:56.789Z`);
    const page = {
      accountId: 'acct_busy',
      from,
      to: new Date('2026-01-01'),
      after: undefined,
      seenBy: undefined,
    };
    await sumBefore(ledger.db, 'acct_busy', from);
    await timed(`its balance of ${day}`, () => sumBefore(ledger.db, 'acct_busy', from));
    await timed(`100 lines of its statement from ${day}`, () => listStatementEntries(ledger.db, page, 100));
  }
  await timed('the same balance by summing its entries', () =>
    sql`select sum(amount_minor) from postings where credit_account = 'acct_busy' and created_at < '2025-12-30'`.execute(
      ledger.db,
    ),
  );
  await timed(`proof of ${BUSY_ENTRIES}: the seal`, () => checkWholeSeal(ledger), BUSY_ENTRIES);
  await timed(`proof of ${BUSY_ENTRIES}: balances and hours`, () => foldAll(ledger));
  await ledger.drop();
}

await measureApply();
await measureSeal();
await measureBusyAccount();
