import { openDatabase } from '@payflowx/chassis/postgres';
import { testLog } from '@payflowx/chassis/testing';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordTransactions } from '../src/app/record-transactions.ts';
import { entriesOf } from '../src/domain/journal.ts';
import type { Database } from '../src/store/database.ts';
import { type EntryPosition, listEntries } from '../src/store/entries.ts';
import { createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { transferOf } from './journal.ts';

const OWN = 200;
const EACH = 20;
const LIMIT = 5;

let ledger: LedgerDatabase;
beforeAll(async () => {
  ledger = await createLedgerDatabase();
});
afterAll(() => ledger?.drop());

/** The postings that this session has read by scans and by indexes. */
async function visitsOf(trx: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ visited: bigint }>`
    select seq_tup_read + coalesce(idx_tup_fetch, 0) as visited from pg_stat_xact_user_tables
    where relname = 'postings'`.execute(trx);
  return Number(rows[0]?.visited ?? 0);
}

it('reads the newest entry of each of many accounts, and more only in the accounts of the page', async () => {
  const own = Array.from({ length: OWN }, (_, index) => `acct_own_${index}`);
  // Some accounts are busy at the end, most are not, and one pays another of the same owner.
  const transfers = Array.from({ length: OWN * EACH }, (_, index) => {
    const account = own[index < OWN * (EACH - 1) ? index % OWN : index % 3] as string;
    const other = index % 11 === 0 ? 'acct_own_7' : 'acct_foreign';
    const createdAt = new Date(Date.UTC(2026, 0, 1) + Math.floor(index / 3));
    const sides: [string, string] = index % 2 === 0 ? [account, other] : [other, account];
    return transferOf(
      BigInt(index + 1),
      { createdAt },
      account === other ? [account, 'acct_foreign'] : sides,
    );
  });
  await recordTransactions(ledger, transfers);
  const owner = openDatabase<Database>({ url: ledger.migrateUrl, poolMax: 1 }, testLog);
  await sql`analyze postings, transactions`.execute(owner);
  await owner.destroy();

  const expected = transfers
    .flatMap(entriesOf)
    .filter(({ accountId }) => own.includes(accountId))
    .map((entry) => ({
      ...entry,
      key: `${entry.createdAt.toISOString()} ${entry.transactionId} ${entry.direction}`,
    }))
    .sort((a, b) => (a.key < b.key ? 1 : -1));
  const filter = {
    accountIds: own,
    paymentId: undefined,
    layer: undefined,
    direction: undefined,
    currency: undefined,
    createdAfter: undefined,
    createdBefore: undefined,
  };
  let before: EntryPosition | undefined;
  for (let page = 0; page < 12; page += 1) {
    const { entries, visited } = await ledger.db.transaction().execute(async (trx) => {
      const start = await visitsOf(trx);
      const entries = await listEntries(trx, { ...filter, before }, LIMIT);
      return { entries, visited: (await visitsOf(trx)) - start };
    });
    const wanted = expected.slice(page * LIMIT, (page + 1) * LIMIT);
    expect(entries.map(({ amountMinor, accountId }) => [amountMinor, accountId])).toEqual(
      wanted.map(({ amountMinor, accountId }) => [amountMinor, accountId]),
    );
    expect(visited).toBeLessThanOrEqual(2 * OWN + 2 * LIMIT * LIMIT + 2 * LIMIT);
    before = entries.at(-1);
  }
});
