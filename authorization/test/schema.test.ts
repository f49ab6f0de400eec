/** The constraints of the database, which hold even if the code has a bug. */
import { eventually } from '@payflowx/chassis/testing';
import { CaptureMode } from '@payflowx/proto/authorization';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { item, openAccount, type RunningService, startService } from './running-service.ts';

let service: RunningService;
let serving: pg.Client;
let accountId: string;

beforeAll(async () => {
  service = await startService();
  serving = new pg.Client({ connectionString: service.servingUrl });
  await serving.connect();
  accountId = await openAccount(service, { balance: 1_000n });
  await service.authorize(item({ fromAccount: accountId, toAccount: 'acct_none' }));
});
afterAll(async () => {
  await serving.end();
  await service.stop();
});

describe('the balances', () => {
  it.each([
    ['a balance below zero', 'posted = -1', 'balances_not_overdrawn'],
    ['more held than the balance', 'held = 1001', 'balances_not_overdrawn'],
    ['a balance beyond 2^53 - 1', 'posted = 9007199254740992', 'balances_posted_fits'],
    ['a negative hold', 'held = -1', 'balances_held_check'],
  ])('refuse %s', async (_, change, constraint) => {
    await expect(
      serving.query(`update balances set ${change} where account_id = $1`, [accountId]),
    ).rejects.toMatchObject({ constraint });
  });

  it('let the external account go below zero, but not beyond the cap', async () => {
    const { rows } = await serving.query("select posted from balances where account_id = 'external:EUR'");
    expect(rows).toEqual([{ posted: '-1000' }]);
    await expect(
      serving.query(
        "update balances set posted = -9007199254740991, held = 1 where account_id = 'external:EUR'",
      ),
    ).rejects.toMatchObject({ constraint: 'balances_external_floor' });
  });
});

describe('the serving role', () => {
  it.each([
    'delete from decisions',
    "update decisions set code = 'X'",
    'truncate decisions',
    'delete from holds',
    'delete from balances',
    'update balances set is_external = true',
    'delete from account_audit_records',
    "update account_audit_records set reason = 'X'",
    'truncate account_audit_records',
    'update holds set amount = 1',
    'update holds set expires_at = now()',
    'update holds set used_day = now()',
    'update test_clock_advances set total_s = 1',
    'update accounts set currency = null',
    'delete from accounts',
    "update accounts set owner_id = 'usr_mallory'",
    'delete from account_requests',
    'drop table decisions',
    "update decisions set facts = '[]'",
    "update rule_versions set message = 'X'",
    'delete from rule_versions',
    'truncate rule_versions',
    'delete from ruleset',
    'insert into ruleset (version) values (7)',
  ])('may not: %s', async (statement) => {
    await expect(serving.query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it.each(['0, 0, 0', '-1, 0, 0', '1, -1, 0', '1, 0, -1'])(
    'cannot move a test clock back: %s',
    async (step) => {
      const back = serving.query(`select advance_holds($1, ${step})`, [accountId]);
      // invalid_parameter_value
      await expect(back).rejects.toMatchObject({ code: '22023' });
    },
  );
});

describe('a record of a decision or change', () => {
  it.each([
    'delete from decisions',
    "update decisions set code = 'X'",
    'truncate decisions',
    "update account_audit_records set reason = 'X'",
    'delete from account_audit_records',
    'truncate account_audit_records',
    "update rule_versions set expression = 'false'",
    'delete from rule_versions',
    'truncate rule_versions',
  ])('stays, even for a superuser: %s', async (statement) => {
    await expect(service.sql(statement)).rejects.toThrow(/append-only/);
  });
});

describe('a hold', () => {
  it.each([
    ['more captured than was held', 'captured = 101', 'holds_not_exceeded'],
    ['captured and still held beyond the amount', 'captured = 1', 'holds_not_exceeded'],
    ['cancelled after a capture', "captured = 1, remaining = 0, state = 'RELEASED'", 'holds_released'],
    ['captured without a capture', "remaining = 0, state = 'CAPTURED'", 'holds_captured'],
  ])('is never %s', async (_, change, constraint) => {
    const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
    const held = item({
      fromAccount: accountId,
      toAccount,
      amountMinor: 100n,
      captureMode: CaptureMode.MANUAL,
    });
    await service.authorize(held);
    const update = serving.query(`update holds set ${change} where payment_id = $1`, [held.paymentId]);
    await expect(update).rejects.toMatchObject({ code: '23514', constraint });
  });
});

describe('an update of a balance', () => {
  async function counted(): Promise<{ updates: number; hot: number }> {
    // Postgres counts in the session that made the change, and publishes the counts only from time to time.
    await serving.query('select pg_stat_force_next_flush()');
    const counts = 'select n_tup_upd::int as updates, n_tup_hot_upd::int as hot from pg_stat_user_tables';
    const { rows } = await service.sql(`${counts} where relname = 'balances'`);
    return rows[0];
  }

  it('stays on its page and touches no index', async () => {
    // Tries again if a row moved to another page: while another session has a snapshot open, the page cannot free old row
    // versions.
    await eventually(async () => {
      const before = await counted();
      for (let n = 0; n < 50; n += 1) {
        const update =
          'update balances set posted = posted, spent_today = spent_today + 1 where account_id = $1';
        await serving.query(update, [accountId]);
      }
      const after = await counted();
      expect(after.updates - before.updates).toBeGreaterThanOrEqual(50);
      expect(after.hot - before.hot).toBe(after.updates - before.updates);
    });
  });
});
