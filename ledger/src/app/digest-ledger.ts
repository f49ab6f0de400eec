/** Computes one digest of all that the ledger holds. Two ledgers with equal digests are equal row by row. */
import { createHash } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import { canonicalText } from '../domain/journal.ts';
import { listBalancesAfter } from '../store/balances.ts';
import type { Database } from '../store/database.ts';
import { listTransactionsAfter } from '../store/journal.ts';
import { atOneMoment } from '../store/snapshot.ts';

const PAGE = 5_000;

/** SHA-256, in hex, over the journal by transaction id and the balances by account, one line each. */
export function digestLedger(db: Kysely<Database>): Promise<string> {
  return atOneMoment(db, async (snapshot) => {
    const hash = createHash('sha256');
    for await (const line of linesOf(snapshot)) hash.update(`${line}\n`);
    return hash.digest('hex');
  });
}

async function* linesOf(snapshot: Transaction<Database>): AsyncGenerator<string> {
  let lastId = '';
  for (;;) {
    const transactions = await listTransactionsAfter(snapshot, lastId, PAGE);
    for (const transaction of transactions) yield canonicalText(transaction);
    if (transactions.length < PAGE) break;
    lastId = transactions.at(-1)?.id ?? lastId;
  }
  let last = { accountId: '', currency: '' };
  for (;;) {
    const balances = await listBalancesAfter(snapshot, last, PAGE);
    for (const { accountId, currency, postedMinor, pendingMinor, heldMinor } of balances) {
      yield JSON.stringify([accountId, currency, `${postedMinor}`, `${pendingMinor}`, `${heldMinor}`]);
    }
    if (balances.length < PAGE) return;
    last = balances.at(-1) ?? last;
  }
}
