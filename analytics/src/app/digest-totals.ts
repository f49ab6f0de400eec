/** Computes one digest of all totals. Two databases with equal digests are equal row by row. */
import { createHash } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import { listAccountTotalsAfter } from '../store/account-totals.ts';
import { listDays } from '../store/daily-totals.ts';
import type { Database } from '../store/database.ts';

const PAGE = 5_000;
const ALL = { from: '-infinity', to: 'infinity', currency: '' };

/** SHA-256, in hex, over the days by day and currency and the accounts by id, one line each. */
export function digestTotals(db: Kysely<Database>): Promise<string> {
  const snapshot = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only');
  return snapshot.execute(async (trx) => {
    const hash = createHash('sha256');
    for (const day of await listDays(trx, ALL)) hash.update(lineOf(day));
    for await (const account of allAccounts(trx)) hash.update(lineOf(account));
    return hash.digest('hex');
  });
}

async function* allAccounts(trx: Transaction<Database>) {
  let lastId = '';
  for (;;) {
    const accounts = await listAccountTotalsAfter(trx, lastId, PAGE);
    yield* accounts;
    if (accounts.length < PAGE) return;
    lastId = accounts.at(-1)?.accountId ?? lastId;
  }
}

/** Members are sorted by name, so that their order in the code does not matter. */
function lineOf(totals: object): string {
  const members = Object.entries(totals).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify(members, (_, value) => (typeof value === 'bigint' ? value.toString() : value))}\n`;
}
