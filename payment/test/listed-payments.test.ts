import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, type TestDatabase, testLog } from '@payflowx/chassis/testing';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../src/store/database.ts';
import { type ListFilter, listPayments } from '../src/store/payment-lists.ts';
import type { Position } from '../src/store/walk.ts';
import { MIGRATIONS } from './payment-platform.ts';

const PAYMENTS = 5_000;
const LIMIT = 20;
const VISITS = 100;

let database: TestDatabase;
let db: Kysely<Database>;
beforeAll(async () => {
  database = await createTestDatabase({ service: 'payment', migrations: MIGRATIONS });
  db = openDatabase<Database>({ url: database.url, poolMax: 2 }, testLog);
  await seed(database, PAYMENTS);
});
afterAll(async () => {
  await db?.destroy();
  await database?.drop();
});

/**
 * Nearly all payments go from acct_busy to acct_busy_too, are COMPLETED and in EUR. One in 1,000 is not decided yet, so its owners are
 * not known. One in 500 is FAILED, one in 700 is in JPY, and one
 * in 900 goes from usr_rare, who has two accounts, to acct_busy. One in 1,100 was collected by a mandate, and one of these is not decided yet.
 */
async function seed({ migrateUrl }: TestDatabase, count: number): Promise<void> {
  const owner = openDatabase<Database>({ url: migrateUrl, poolMax: 1 }, testLog);
  await sql`
    insert into payments (id, kind, state, failure_code, from_account, to_account, from_owner_id, to_owner_id, amount_minor,
      currency, capture_mode, mandate_id, reference, metadata, version, created_at, updated_at, caller_id, caller_roles, request_id, traceparent,
      next_attempt_at)
    select 'pay_' || lpad(n::text, 8, '0'), 'PAYMENT', case when n % 500 = 0 then 'FAILED' when n % 1000 = 1 then 'INITIATED' else 'COMPLETED' end,
      case when n % 500 = 0 then 'RULE_DECLINED' end,
      case when n % 900 = 0 then 'acct_rare' when n % 900 = 450 then 'acct_rare_too' else 'acct_busy' end,
      case when n % 900 = 0 then 'acct_busy' else 'acct_busy_too' end,
      case when n % 450 = 0 then 'usr_rare' when n % 1000 <> 1 then 'usr_busy' end,
      case when n % 1000 <> 1 then 'usr_busy_too' end,
      n, case when n % 700 = 0 then 'JPY' else 'EUR' end, 'AUTOMATIC', case when n % 1100 = 3 or n = 1001 then 'man_1' end, case when n % 2 = 0 then 'rent' else '' end,
      case when n = 900 then jsonb '{"month": "2026-01"}' else '{}' end, 2,
      -- Four payments in each millisecond, changed in the order of their creation, but a few of them an hour later.
      timestamptz '2026-01-01Z' + (n / 4) * interval '1 millisecond',
      timestamptz '2026-01-01Z' + (n / 4) * interval '1 millisecond' + case when n % 100 = 7 then interval '1 hour' else '5 ms' end, 'usr_busy', '{customer}', n, '', now()
    from generate_series(1, ${sql.lit(count)}) as n`.execute(owner);
  await sql`analyze payments`.execute(owner);
  await owner.destroy();
}

/** Filters, and the conditions that they mean. */
const FILTERS: [name: string, filter: ListFilter, condition: string][] = [
  ['state', { states: ['FAILED'] }, `state = 'FAILED'`],
  [
    'a frequent state',
    { states: ['COMPLETED'], amountMinMinor: 4_990n },
    `state = 'COMPLETED' and amount_minor >= 4990`,
  ],
  ['a state in progress', { states: ['INITIATED'] }, `state = 'INITIATED'`],
  [
    'a busy account and payments in progress',
    { accountId: 'acct_busy', states: ['INITIATED', 'FAILED'], currency: 'EUR' },
    `'acct_busy' in (from_account, to_account) and state in ('INITIATED', 'FAILED') and currency = 'EUR'`,
  ],
  ['a state without payments', { states: ['REFUNDED'] }, 'false'],
  ['state and currency', { states: ['FAILED'], currency: 'JPY' }, `state = 'FAILED' and currency = 'JPY'`],
  ['currency', { currency: 'JPY' }, `currency = 'JPY'`],
  ['a currency without payments', { currency: 'CHF' }, 'false'],
  ['amount', { amountMaxMinor: 3n }, 'amount_minor <= 3'],
  [
    'reference and currency',
    { reference: 'rent', currency: 'JPY' },
    `reference = 'rent' and currency = 'JPY'`,
  ],
  [
    'an owner and the beginning of a reference',
    { ownerId: 'usr_rare', referencePrefix: 're' },
    `from_owner_id = 'usr_rare' and reference like 're%'`,
  ],
  ['the beginning of no reference', { referencePrefix: 'Rent' }, 'false'],
  [
    'a busy account and state',
    { accountId: 'acct_busy', states: ['FAILED'] },
    `'acct_busy' in (from_account, to_account) and state = 'FAILED'`,
  ],
  [
    'an owner’s second account',
    { accountId: 'acct_rare_too', ownerId: 'usr_rare' },
    `from_account = 'acct_rare_too'`,
  ],
  [
    'a busy account of another user',
    { accountId: 'acct_busy', ownerId: 'usr_rare' },
    `from_account = 'acct_rare'`,
  ],
  ['an account that a busy owner never used', { accountId: 'acct_none', ownerId: 'usr_busy' }, 'false'],
  [
    'a busy owner and currency',
    { ownerId: 'usr_busy', currency: 'JPY' },
    `from_owner_id = 'usr_busy' and currency = 'JPY'`,
  ],
  [
    'an owner and a busy reference',
    { ownerId: 'usr_rare', reference: 'rent' },
    `from_owner_id = 'usr_rare' and reference = 'rent'`,
  ],
  [
    'several states',
    { states: ['FAILED', 'REFUNDED', 'FAILED'], amountMaxMinor: 4_000n },
    `state = 'FAILED' and amount_minor <= 4000`,
  ],
  ['states of plain payments, too', { states: ['FAILED', 'COMPLETED'], currency: 'JPY' }, `currency = 'JPY'`],
  ['mandate', { mandateId: 'man_1' }, `mandate_id = 'man_1'`],
  [
    'an owner and a mandate',
    { mandateId: 'man_1', ownerId: 'usr_busy' },
    `mandate_id = 'man_1' and from_owner_id = 'usr_busy'`,
  ],
  ['a mandate of others', { mandateId: 'man_1', ownerId: 'usr_rare' }, 'false'],
  ['mandate and kind', { mandateId: 'man_1', kind: 'DEPOSIT' }, 'false'],
  ['kind', { kind: 'DEPOSIT' }, 'false'],
  ['the account that pays', { fromAccount: 'acct_rare' }, `from_account = 'acct_rare'`],
  [
    'both accounts',
    { fromAccount: 'acct_rare', toAccount: 'acct_busy' },
    `from_account = 'acct_rare' and to_account = 'acct_busy'`,
  ],
  [
    'the account that another user pays from',
    { fromAccount: 'acct_rare', ownerId: 'usr_busy_too' },
    `from_account = 'acct_rare'`,
  ],
  ['an account that is not on this side', { toAccount: 'acct_rare', ownerId: 'usr_rare' }, 'false'],
  ['metadata', { metadata: { month: '2026-01' }, ownerId: 'usr_rare' }, `metadata->>'month' = '2026-01'`],
  ['metadata of the other side', { metadata: { month: '2026-01' }, ownerId: 'usr_busy_too' }, 'false'],
  [
    'times',
    {
      createdAfter: new Date('2026-01-01T00:00:00.100Z'),
      createdBefore: new Date('2026-01-01T00:00:00.102Z'),
    },
    "id between 'pay_00000400' and 'pay_00000407'",
  ],
  [
    'times of the last change',
    { updatedAfter: new Date('2026-01-01T01:00:00Z'), updatedBefore: new Date('2026-01-01T01:00:00.500Z') },
    "updated_at >= '2026-01-01T01:00:00Z' and updated_at < '2026-01-01T01:00:00.500Z'",
  ],
  [
    'the last change, an owner, and the time of creation',
    {
      updatedAfter: new Date('2026-01-01T00:00:01Z'),
      ownerId: 'usr_busy_too',
      createdBefore: new Date('2026-01-01T00:00:00.100Z'),
    },
    "updated_at >= '2026-01-01T00:00:01Z' and created_at < '2026-01-01T00:00:00.100Z' and to_owner_id = 'usr_busy_too'",
  ],
  [
    'the last change, and a state in progress',
    { updatedAfter: new Date('2026-01-01T00:00:00Z'), states: ['INITIATED'] },
    `state = 'INITIATED'`,
  ],
];

/** Reads a page, and counts the rows of payments that it visits. */
function pageOf(filter: ListFilter, position: Position | undefined, limit = LIMIT) {
  return db.transaction().execute(async (trx) => {
    const before = await visitsOf(trx);
    const found = await listPayments(trx, filter, position, { limit, visits: VISITS });
    return { ...found, visited: (await visitsOf(trx)) - before };
  });
}

/** The rows of payments that this session has read by scans and by indexes. */
async function visitsOf(trx: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ visited: bigint }>`
    select seq_tup_read + coalesce(idx_tup_fetch, 0) as visited from pg_stat_xact_user_tables
    where relname = 'payments'`.execute(trx);
  return Number(rows[0]?.visited ?? 0);
}

describe('a list of payments visits few payments for each page, and finds all, by', () => {
  it.each(FILTERS)('%s', async (_name, filter, condition) => {
    const sortedBy = filter.updatedAfter ? 'updated_at' : 'created_at';
    const { rows } = await sql<{ id: string }>`
      select id from payments where ${sql.raw(condition)} order by ${sql.ref(sortedBy)} desc, id desc`.execute(
      db,
    );
    const listed: string[] = [];
    let position: Position | undefined;
    do {
      const page = await pageOf(filter, position);
      // Two walks; each may look again for its end. The accounts' owners are compared in up to 20 rows.
      expect(page.visited).toBeLessThanOrEqual(4 * VISITS + 20);
      listed.push(...page.payments.map(({ id }) => id));
      position = page.next;
    } while (position !== undefined);
    expect(listed).toEqual(rows.map(({ id }) => id));
    const oldest = await pageOf({ ...filter, ascending: true }, undefined);
    expect(oldest.visited).toBeLessThanOrEqual(4 * VISITS + 20);
    const shown = oldest.payments.map(({ id }) => id);
    expect(shown).toEqual(listed.toReversed().slice(0, shown.length));
  });

  it('the oldest first, over all pages', async () => {
    const filter: ListFilter = { ownerId: 'usr_rare', ascending: true };
    const listed: string[] = [];
    let position: Position | undefined;
    do {
      const page = await pageOf(filter, position, 3);
      listed.push(...page.payments.map(({ id }) => id));
      position = page.next;
    } while (position !== undefined);
    expect(listed).toHaveLength(11);
    expect(listed).toEqual(listed.toSorted());
  });

  it('nothing at all, as many as the page has', async () => {
    const { payments, visited } = await pageOf({}, undefined);
    expect(payments).toHaveLength(LIMIT);
    // And the undecided ones, which are looked at again for their end.
    expect(visited).toBeLessThanOrEqual(LIMIT + 1 + (2 * PAYMENTS) / 1_000);
  });

  it('an account with few payments at once, however many the caller has', async () => {
    for (const [accountId, ownerId, count] of [
      ['acct_rare', 'usr_rare', 5],
      ['acct_none', 'usr_busy', 0],
    ] as const) {
      const { payments, next } = await pageOf({ accountId, ownerId }, undefined);
      expect(payments).toHaveLength(count);
      expect(next).toBeUndefined();
    }
  });
});
