import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform?.stop());

/** The serving role changes only what a step changes, so that a mistake in the code cannot rewrite the past. */
describe('the serving role may not', () => {
  it.each([
    'delete from payments',
    'truncate payments',
    'update payments set amount_minor = 1',
    "update payments set from_account = 'acct_x'",
    "update payments set to_account = 'acct_x'",
    "update payments set currency = 'USD'",
    "update payments set caller_id = 'usr_x'",
    'delete from operations',
    'update operations set amount_minor = 1',
    "update operations set payment_id = 'pay_x'",
    "update idempotency_keys set fingerprint = ''",
    "update outbox set events = ''",
    'truncate outbox',
    'alter table payments disable trigger all',
    'create table mine (id int)',
  ])('%s', async (change) => {
    // insufficient_privilege
    await expect(sql.raw(change).execute(platform.db)).rejects.toMatchObject({ code: '42501' });
  });
});
