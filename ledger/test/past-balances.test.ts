import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BalanceAt, getAccountBalance } from '../src/app/get-account-balance.ts';
import { getStatement, type Statement } from '../src/app/get-statement.ts';
import { recordTransactions } from '../src/app/record-transactions.ts';
import { sealBatch } from '../src/app/seal-journal.ts';
import { entriesOf, type JournalTransaction, type PostingKind } from '../src/domain/journal.ts';
import { createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { transactionOf, transferOf } from './journal.ts';

let ledger: LedgerDatabase;

beforeAll(async () => {
  ledger = await createLedgerDatabase();
});

afterAll(() => ledger.drop());

const operator = {
  caller: { id: 'usr_operator', roles: ['operator'] as const },
  accessToken: undefined,
  deadline: new Date(Date.now() + 600_000),
};
const NOW = new Date('2026-06-01T00:00:00.000Z');

/** An operator reads accounts with entries without a call to authorization. All other accounts exist here. */
const deps = () => ({
  db: ledger.db,
  now: () => NOW,
  accounts: {
    isVisible: async () => true,
    listOwn: async () => [],
    listBalances: async function* () {},
    close: () => {},
  },
});

const balanceAt = (accountId: string, at: Date): Promise<BalanceAt> =>
  getAccountBalance(deps(), operator, { accountId, at });

const statementOf = (accountId: string, from?: Date, to?: Date, pageToken = '', pageSize = 3) =>
  getStatement(deps(), operator, { accountId, from, to, pageSize, pageToken });

async function wholeStatement(accountId: string, from?: Date, to?: Date): Promise<Statement['lines']> {
  const lines: Statement['lines'] = [];
  let pageToken = '';
  do {
    const page = await statementOf(accountId, from, to, pageToken);
    lines.push(...page.lines);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return lines;
}

/** Few moments, so that many are equal: both sides of the end of an hour, and days apart. */
const MOMENTS = [
  '2026-01-31T23:59:59.999Z',
  '2026-02-01T00:00:00.000Z',
  '2026-02-01T00:00:00.001Z',
  '2026-02-01T00:59:59.999Z',
  '2026-02-01T01:00:00.000Z',
  '2026-03-05T12:30:00.000Z',
].map((text) => new Date(text));

/** Every run has its own accounts, so that runs can share a database. */
let run = 0;
const accountsOfRun = () => [`acct_a${run}`, `acct_b${run}`, `external:R${run}`];

const posting = fc.record({
  kind: fc.constantFrom<PostingKind>('hold', 'release', 'transfer', 'transfer'),
  debit: fc.nat(2),
  shift: fc.integer({ min: 1, max: 2 }),
  amountMinor: fc.bigInt({ min: 1n, max: 1_000n }),
});
/** The transactions in the order in which the ledger receives them, and the points at which it seals. */
const history = fc.array(
  fc.record({
    createdAt: fc.constantFrom(...MOMENTS),
    postings: fc.array(posting, { minLength: 1, maxLength: 3 }),
    sealed: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

async function record(
  steps: {
    createdAt: Date;
    postings: { kind: PostingKind; debit: number; shift: number; amountMinor: bigint }[];
    sealed: boolean;
  }[],
): Promise<JournalTransaction[]> {
  const accounts = accountsOfRun();
  const transactions: JournalTransaction[] = [];
  for (const { createdAt, postings, sealed } of steps) {
    const transaction = transactionOf(
      postings.map(({ kind, debit, shift, amountMinor }) => ({
        kind,
        debitAccount: accounts[debit] ?? '',
        creditAccount: accounts[(debit + shift) % 3] ?? '',
        amountMinor,
      })),
      { createdAt },
    );
    await recordTransactions(ledger, [transaction]);
    if (sealed) await sealBatch(deps());
    transactions.push(transaction);
  }
  return transactions;
}

/** The simplest possible replay. */
function fold(transactions: readonly JournalTransaction[], accountId: string, until: (at: Date) => boolean) {
  let postedMinor = 0n;
  let pendingMinor = 0n;
  for (const entry of transactions.flatMap(entriesOf)) {
    if (entry.accountId !== accountId || !until(entry.createdAt)) continue;
    const signed = entry.direction === 'credit' ? entry.amountMinor : -entry.amountMinor;
    if (entry.layer === 'posted') postedMinor += signed;
    else pendingMinor += signed;
  }
  return { postedMinor, pendingMinor };
}

describe('a past balance', () => {
  it('equals a replay up to the moment, for sealed, unsealed and late transactions', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        run += 1;
        const transactions = await record(steps);
        for (const accountId of accountsOfRun()) {
          for (const moment of MOMENTS) {
            const expected = fold(transactions, accountId, (at) => at <= moment);
            expect(await balanceAt(accountId, moment)).toEqual({ ...expected, at: moment });
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it('is stated entry by entry, each with the balance of a replay up to it', async () => {
    const period = fc.tuple(fc.nat(MOMENTS.length - 1), fc.nat(MOMENTS.length - 1));
    await fc.assert(
      fc.asyncProperty(history, period, async (steps, [one, other]) => {
        run += 1;
        const transactions = await record(steps);
        const from = MOMENTS[Math.min(one, other)] as Date;
        const to = MOMENTS[Math.max(one, other)] as Date;
        for (const accountId of accountsOfRun()) {
          const { openingMinor, closingMinor } = await statementOf(accountId, from, to);
          expect(openingMinor).toBe(fold(transactions, accountId, (at) => at < from).postedMinor);
          expect(closingMinor).toBe(fold(transactions, accountId, (at) => at < to).postedMinor);
          const expected = transactions
            .flatMap(entriesOf)
            .filter((entry) => entry.accountId === accountId && entry.layer === 'posted')
            .filter(({ createdAt }) => createdAt >= from && createdAt < to)
            .sort(
              (a, b) =>
                a.createdAt.getTime() - b.createdAt.getTime() ||
                (a.transactionId < b.transactionId ? -1 : a.transactionId > b.transactionId ? 1 : 0) ||
                a.number - b.number,
            );
          let balanceMinor = openingMinor;
          expect(await wholeStatement(accountId, from, to)).toEqual(
            expected.map((entry) => {
              balanceMinor += entry.direction === 'credit' ? entry.amountMinor : -entry.amountMinor;
              return { entry, balanceMinor };
            }),
          );
          expect(balanceMinor).toBe(closingMinor);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('a statement', () => {
  const at = (text: string) => new Date(`2026-04-${text}Z`);
  const accounts: [string, string] = ['acct_from', 'acct_to'];

  it('shows the moment of its first page, while entries are recorded between the pages', async () => {
    const days = ['01T10:00', '02T10:00', '03T10:00', '04T10:00', '05T10:00'];
    await recordTransactions(
      ledger,
      days.map((day, index) => transferOf(BigInt(index + 1), { createdAt: at(day) }, accounts)),
    );
    const seen: Statement['lines'] = [];
    let page = await statementOf('acct_to', at('01T00:00'), at('30T00:00'), '', 1);
    const { openingMinor, closingMinor } = page;
    for (;;) {
      seen.push(...page.lines);
      expect(page).toMatchObject({ openingMinor, closingMinor });
      if (page.nextPageToken === '') break;
      // Late events, before and after the end of the page, some sealed and some not.
      await recordTransactions(ledger, [
        transferOf(100n, { createdAt: at('01T09:00') }, accounts),
        transferOf(100n, { createdAt: at('04T23:00') }, accounts),
      ]);
      await sealBatch(deps());
      page = await statementOf('acct_to', at('01T00:00'), at('30T00:00'), page.nextPageToken, 1);
    }
    expect(seen.map(({ balanceMinor }) => balanceMinor)).toEqual([1n, 3n, 6n, 10n, 15n]);
    expect(closingMinor).toBe(15n);
    expect((await statementOf('acct_to', at('01T00:00'), at('30T00:00'))).closingMinor).toBe(815n);
  });

  it('without a period begins with the account’s first entry and ends now', async () => {
    const createdAt = at('20T08:00');
    await recordTransactions(ledger, [transferOf(7n, { createdAt }, ['acct_x', 'acct_young'])]);
    expect(await statementOf('acct_young')).toMatchObject({
      openingMinor: 0n,
      closingMinor: 7n,
      currency: 'EUR',
      from: createdAt,
      to: NOW,
    });
    expect(await statementOf('acct_unused')).toMatchObject({ currency: '', from: NOW, to: NOW, lines: [] });
  });

  it('refuses a period that ends before it begins', async () => {
    await expect(statementOf('acct_to', at('03T00:00'), at('02T00:00'))).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
    });
  });
});
