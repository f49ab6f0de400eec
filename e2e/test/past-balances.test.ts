import { describe, expect, it } from 'vitest';
import {
  type Account,
  deposit,
  eventually,
  openAccount,
  peopleAtBoth,
  provenLedger,
  readDemo,
} from '../src/platform.ts';

const demo = readDemo();
const [first, second] = peopleAtBoth(demo);

const ACCOUNTS = 8;
const ROUNDS = 12;
const AMOUNT = 100;

describe('the past of an account', () => {
  it('is never below zero, although each payment spends a deposit that is decided at the same moment', {
    timeout: 240_000,
  }, async () => {
    const to = await openAccount(first.operator, first.bob.user, 0);
    const from = await Promise.all(
      Array.from({ length: ACCOUNTS }, () => openAccount(first.operator, first.alice.user, 0)),
    );
    await Promise.all(from.map((account) => raceDeposits(account, to)));
    await provenLedger(first.auditor);
    for (const { id } of from) await expectNeverBelowZero(id, ROUNDS);
  });
});

/** The deposits use one gateway, the payments the other. A payment is tried until a deposit covers it. */
async function raceDeposits(from: Account, to: Account): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    await Promise.all([deposit(first.operator, from.id, AMOUNT), payWhenCovered(from, to)]);
  }
}

async function payWhenCovered(from: Account, to: Account): Promise<void> {
  const body = { from_account: from.id, to_account: to.id, amount: AMOUNT, currency: 'EUR' };
  await eventually(() => second.alice.api.post('/v1/payments', { body }), { everyMs: 1 });
}

async function expectNeverBelowZero(id: string, rounds: number): Promise<void> {
  const lines = await statementOf(id);
  expect(lines).toHaveLength(2 * rounds);
  expect(lines.filter(({ balance }) => balance < 0)).toEqual([]);
  for (const at of new Set(lines.map(({ entry }) => entry.created_at))) {
    const { body } = await first.auditor.get(`/v1/ledger/accounts/${id}/balance?at=${at}`);
    expect(body.posted, `${id} at ${at}`).toBeGreaterThanOrEqual(0);
  }
}

async function statementOf(id: string): Promise<{ entry: { created_at: string }; balance: number }[]> {
  const lines = [];
  let cursor: string | null = '';
  do {
    const page: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor ?? '')}`;
    const { status, body } = await first.auditor.get(`/v1/ledger/accounts/${id}/statement?limit=50${page}`);
    expect(status).toBe(200);
    lines.push(...body.data);
    cursor = body.next_cursor;
  } while (cursor !== null);
  return lines;
}
