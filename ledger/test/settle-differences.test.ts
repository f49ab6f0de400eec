/** Proofs while money moves: which differences are a fault, and which are events on their way. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ProofDeps, proveLedger } from '../src/app/prove-ledger.ts';
import { recordTransactions } from '../src/app/record-transactions.ts';
import type { AuthorizedBalance } from '../src/domain/proof.ts';
import { ALL_APPLIED, createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { transferOf } from './journal.ts';

let ledger: LedgerDatabase;
beforeAll(async () => {
  ledger = await createLedgerDatabase();
});
afterAll(() => ledger.drop());

/** Two new accounts; the first has paid the second in the ledger. */
async function paid(amountMinor: bigint) {
  const [from, to] = [`acct_${crypto.randomUUID()}`, `acct_${crypto.randomUUID()}`];
  const pay = (amount: bigint) => recordTransactions(ledger, [transferOf(amount, {}, [from, to])]);
  await pay(amountMinor);
  return { from, to, pay };
}

/** Authorization with the balances that the ledger had at the first reading, changed by `change` at each reading, counted from 0. */
function authorizationThat(change: (balances: Map<string, bigint>, reading: number) => unknown) {
  let base: [string, bigint][] | undefined;
  const authorization = {
    readings: 0,
    async *listBalances(_: unknown, accountIds: readonly string[] = []): AsyncGenerator<AuthorizedBalance> {
      base ??= await storedBalances();
      const balances = new Map(base);
      await change(balances, authorization.readings++);
      for (const [accountId, postedMinor] of balances)
        if (accountIds.length === 0 || accountIds.includes(accountId))
          yield { accountId, currency: 'EUR', postedMinor, heldMinor: 0n };
    },
  };
  return authorization;
}

async function storedBalances(): Promise<[string, bigint][]> {
  const rows = await ledger.db.selectFrom('balances').select(['account_id', 'posted_minor']).execute();
  return rows.map(({ account_id, posted_minor }) => [account_id, posted_minor]);
}

function prove(accounts: ProofDeps['accounts'], more: Partial<ProofDeps['progress']> = {}) {
  const deps = {
    ...{ ...ALL_APPLIED, db: ledger.db, accounts, now: () => new Date() },
    progress: { ...ALL_APPLIED.progress, ...more },
  };
  return proveLedger(deps, { deadline: new Date(Date.now() + 60_000) });
}

const shift = (balances: Map<string, bigint>, id: string, by: bigint) =>
  balances.set(id, (balances.get(id) ?? 0n) + by);

it('holds if the events of the differing accounts arrive meanwhile', async () => {
  const { from, to, pay } = await paid(5n);
  const authorization = authorizationThat((balances, reading) => {
    shift(balances, from, -7n);
    shift(balances, to, 7n);
    // The ledger gets the event between the third reading of authorization and its own.
    return reading === 2 ? pay(7n) : undefined;
  });
  const { verdict, holds, differences, differenceCount } = await prove(authorization, {
    hasPassed: async () => false,
  });
  expect({ verdict, holds, differences, differenceCount }).toEqual({
    ...{ verdict: 'holds', holds: true },
    ...{ differences: [], differenceCount: 0n },
  });
  expect(authorization.readings).toBe(3);
});

it('is never broken by an account that moves at each reading', async () => {
  const { from, to } = await paid(5n);
  const authorization = authorizationThat((balances, reading) => {
    shift(balances, from, -BigInt(reading + 1));
    shift(balances, to, BigInt(reading + 1));
  });
  const { verdict, holds, differences } = await prove(authorization);
  expect([verdict, holds]).toEqual(['unsettled', false]);
  expect(differences.map(({ isSettled }) => isSettled)).toEqual([false, false]);
  expect(authorization.readings).toBeLessThan(10);
});

it('finds lost money beside an account that moves all the time', async () => {
  const busy = await paid(5n);
  const robbed = await paid(9n);
  const authorization = authorizationThat((balances, reading) => {
    shift(balances, busy.from, -BigInt(reading + 1));
    shift(balances, robbed.to, 1n);
  });
  const { verdict, differences, differenceCount } = await prove(authorization);
  expect(verdict).toBe('broken');
  expect(differenceCount).toBe(2n);
  expect(differences).toMatchObject([
    { accountId: robbed.to, isSettled: true, ledgerPostedMinor: 9n, authorizationPostedMinor: 10n },
    { accountId: busy.from, isSettled: false },
  ]);
});

it.each<[string, (id: string) => Partial<ProofDeps['progress']>]>([
  ['payment has no outcome yet', (id) => ({ unfinishedAmong: async () => new Set([id]) })],
  ['the ledger has not applied every event', () => ({ hasPassed: async () => false })],
  ['payment does not answer', () => ({ unfinishedAmong: () => Promise.reject(new Error('away')) })],
  ['Kafka does not answer', () => ({ ends: () => Promise.reject(new Error('away')) })],
])('a difference is unsettled while %s', async (_, progressFor) => {
  const { to } = await paid(5n);
  const authorization = authorizationThat((balances) => void shift(balances, to, 1n));
  const { verdict, differences } = await prove(authorization, progressFor(to));
  expect(verdict).toBe('unsettled');
  expect(differences).toMatchObject([{ accountId: to, isSettled: false }]);
});

it('asks for the ends of the topic after payment has published everything', async () => {
  const { to } = await paid(5n);
  const asked: string[] = [];
  await prove(
    authorizationThat((balances) => void shift(balances, to, 1n)),
    {
      unfinishedAmong: async (ids) => {
        asked.push(`unfinished ${ids.length}`);
        return new Set();
      },
      ends: async () => {
        asked.push('ends');
        return new Map([[0, 5n]]);
      },
      hasPassed: async (ends) => asked.push(`passed ${ends.get(0)}`) > 0,
    },
  );
  expect(asked).toEqual(['unfinished 1', 'ends', 'passed 5']);
});

it('does not start another reading if its caller will not wait for it', async () => {
  const { to } = await paid(5n);
  const authorization = authorizationThat((balances) => void shift(balances, to, 1n));
  const deps = { ...ALL_APPLIED, db: ledger.db, accounts: authorization, now: () => new Date() };
  const { verdict } = await proveLedger(deps, { deadline: new Date(Date.now() + 4_000) });
  expect([verdict, authorization.readings]).toEqual(['unsettled', 1]);
});
