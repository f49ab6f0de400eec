import { openDatabase } from '@payflowx/chassis/postgres';
import { testLog } from '@payflowx/chassis/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordTransactions } from '../src/app/record-transactions.ts';
import { decodePaymentEvent } from '../src/consumers/payment-events.ts';
import type { Database } from '../src/store/database.ts';
import { createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { encode, paymentEvent, transfer } from './neighbours.ts';

let ledger: LedgerDatabase;

beforeAll(async () => {
  ledger = await createLedgerDatabase();
  const transaction = decodePaymentEvent(encode(paymentEvent([transfer('acct_a', 'acct_b', 5n)])));
  if (transaction) await recordTransactions(ledger, [transaction]);
});

afterAll(() => ledger.drop());

const CHANGES = [
  `update transactions set payment_id = 'pay_other'`,
  `update transactions set payment_id = 'pay_other' where false`,
  `delete from transactions`,
  `truncate transactions cascade`,
  `update postings set amount_minor = amount_minor + 1`,
  `delete from postings`,
  `truncate postings`,
  `update seals set leaf_hash = sha256('other')`,
  `delete from seals`,
  `truncate seals`,
  `update heads set root_hash = sha256('other')`,
  `delete from heads`,
  `truncate heads`,
];

describe('the journal and its seal', () => {
  it.each(CHANGES)('refuses the serving role: %s', async (change) => {
    await expect(sql.raw(change).execute(ledger.db)).rejects.toThrow(/permission denied/);
  });

  it.each(CHANGES)('refuses its owner: %s', async (change) => {
    const db = openDatabase<Database>({ url: ledger.migrateUrl, poolMax: 1 }, testLog);
    await expect(sql.raw(change).execute(db)).rejects.toThrow(/the journal is append-only/);
    await db.destroy();
  });

  it('refuses a superuser who switched triggers off for the session', async () => {
    const db = openDatabase<Database>({ url: ledger.adminUrl, poolMax: 1 }, testLog);
    await sql.raw(`set session_replication_role = 'replica'`).execute(db);
    await expect(sql.raw('delete from postings').execute(db)).rejects.toThrow(/the journal is append-only/);
    await expect(sql.raw('delete from seals').execute(db)).rejects.toThrow(/the journal is append-only/);
    await db.destroy();
  });

  it('refuses a posting without its transaction', async () => {
    const orphan = sql.raw(
      `insert into postings values ('txn_none', 0, 'transfer', 'acct_a', 'acct_b', 1, 'EUR', now())`,
    );
    await expect(orphan.execute(ledger.db)).rejects.toThrow(/foreign key/);
  });

  it('does not let the serving role delete a balance', async () => {
    await expect(sql.raw('delete from balances').execute(ledger.db)).rejects.toThrow(/permission denied/);
  });
});
