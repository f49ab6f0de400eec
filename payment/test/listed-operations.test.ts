import { newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, type TestDatabase, testLog } from '@payflowx/chassis/testing';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillOperationSides } from '../src/app/fill-operation-sides.ts';
import type { Database } from '../src/store/database.ts';
import { type ListFilter, listOperations } from '../src/store/operation-lists.ts';
import type { Position } from '../src/store/walk.ts';
import { MIGRATIONS } from './payment-platform.ts';

const PAYMENTS = 1_500;
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
 * Each payment goes from acct_busy to acct_shop, or, one in 300, from acct_rare. Each has a capture and a refund; one in 500 of these is
 * declined. They are stored as by the version without sides, which the background job fills in.
 */
async function seed({ migrateUrl }: TestDatabase, count: number): Promise<void> {
  const owner = openDatabase<Database>({ url: migrateUrl, poolMax: 1 }, testLog);
  await sql`
    insert into payments (id, kind, state, from_account, to_account, from_owner_id, to_owner_id, amount_minor, captured_minor,
      currency, capture_mode, captured_by_payee, version, created_at, updated_at, caller_id, caller_roles, request_id, traceparent,
      next_attempt_at)
    select 'pay_' || lpad(n::text, 8, '0'), 'PAYMENT', 'COMPLETED', case when n % 300 = 0 then 'acct_rare' else 'acct_busy' end,
      'acct_shop', case when n % 300 = 0 then 'usr_rare' else 'usr_busy' end, 'usr_shop', n, n, 'EUR', 'MANUAL', n % 2 = 0, 2,
      timestamptz '2026-01-01Z' + (n / 4) * interval '1 millisecond', now(), 'usr_busy', '{customer}', n, '', now()
    from generate_series(1, ${sql.lit(count)}) as n`.execute(owner);
  await sql`
    insert into operations (id, payment_id, kind, state, amount_minor, takes_rest, final, reason, failure_code, event_id, caller_id,
      request_id, traceparent, created_at, updated_at, next_attempt_at)
    select left(lower(step), 3) || '_' || substr(p.id, 5), p.id, step, case when declined then 'DECLINED' else 'COMPLETED' end,
      amount_minor, false, false, '', case when declined then 'TO_ACCOUNT_NOT_ACTIVE' end, case when not declined then 'evt_1' end,
      'usr_busy', p.id || step, '', p.created_at, p.updated_at, now()
    from payments as p cross join unnest(array['CAPTURE', 'REFUND']) as step, lateral (select amount_minor % 500 = 0 as declined) as d`.execute(
    owner,
  );
  await sql`analyze`.execute(owner);
  await owner.destroy();
}

const SHOP: ListFilter = { kind: 'REFUND', ownerId: 'usr_shop' };

/** Filters, and the conditions that they mean for the payment p and the operation o. */
const FILTERS: [name: string, filter: ListFilter, condition: string][] = [
  ['kind', { kind: 'CAPTURE' }, 'true'],
  ['a rare account', { kind: 'REFUND', accountId: 'acct_rare' }, `p.from_account = 'acct_rare'`],
  ['a rare payer', { kind: 'CAPTURE', ownerId: 'usr_rare' }, RARE('CAPTURE')],
  ['a rare payer of refunds', { kind: 'REFUND', ownerId: 'usr_rare' }, RARE('REFUND')],
  ['a busy receiver', SHOP, 'true'],
  ['a busy receiver and a rare account', { ...SHOP, accountId: 'acct_rare' }, `p.from_account = 'acct_rare'`],
  ['a rare state', { ...SHOP, state: 'DECLINED' }, `o.state = 'DECLINED'`],
  ['one payment', { kind: 'REFUND', paymentId: 'pay_00000007' }, `p.id = 'pay_00000007'`],
  [
    'completed ones of one payment',
    { kind: 'REFUND', paymentId: 'pay_00000500', onlyCompleted: true },
    'false',
  ],
  [
    'times',
    {
      kind: 'CAPTURE',
      createdAfter: new Date('2026-01-01T00:00:00.100Z'),
      createdBefore: new Date('2026-01-01T00:00:00.102Z'),
    },
    "p.id between 'pay_00000400' and 'pay_00000407'",
  ],
];

/** The payer sees declined captures if it captures, and no declined refund. */
function RARE(kind: string): string {
  const seen = kind === 'CAPTURE' ? 'not p.captured_by_payee' : 'false';
  return `p.from_owner_id = 'usr_rare' and (o.state = 'COMPLETED' or ${seen})`;
}

/** Reads a page, and counts the rows of operations that it visits. */
function pageOf(filter: ListFilter, position: Position | undefined) {
  return db.transaction().execute(async (trx) => {
    const before = await visitsOf(trx);
    const found = await listOperations(trx, filter, position, { limit: LIMIT, visits: VISITS });
    return { ...found, visited: (await visitsOf(trx)) - before };
  });
}

async function visitsOf(trx: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ visited: bigint }>`
    select seq_tup_read + coalesce(idx_tup_fetch, 0) as visited from pg_stat_xact_user_tables
    where relname = 'operations'`.execute(trx);
  return Number(rows[0]?.visited ?? 0);
}

describe('operations from a version without sides', () => {
  it('are filled in by the background job in small transactions, and by nothing else', async () => {
    let rounds = 1;
    while (await fillOperationSides({ db, log: testLog })) rounds += 1;
    expect(rounds).toBeGreaterThan((2 * PAYMENTS) / 1_000);
    const { rows } = await sql`
      select 1 from operations as o join payments as p on p.id = o.payment_id
      where (o.from_account, o.to_account, o.from_owner_id, o.to_owner_id)
        is distinct from (p.from_account, p.to_account, p.from_owner_id, p.to_owner_id)`.execute(db);
    expect(rows).toEqual([]);
    // insufficient_privilege
    await expect(sql`update operations set to_owner_id = 'usr_x'`.execute(db)).rejects.toMatchObject({
      code: '42501',
    });
  });
});

describe('a list of captures or refunds visits few of them for each page, and finds all, by', () => {
  it.each(FILTERS)('%s', async (_name, filter, condition) => {
    const { rows } = await sql<{ id: string }>`
      select o.id from operations as o join payments as p on p.id = o.payment_id
      where o.kind = ${filter.kind} and ${sql.raw(condition)} order by o.created_at desc, o.id desc`.execute(
      db,
    );
    const listed: string[] = [];
    let position: Position | undefined;
    do {
      const page = await pageOf(filter, position);
      // Two walks; each may look again for its end.
      expect(page.visited).toBeLessThanOrEqual(4 * VISITS);
      listed.push(...page.operations.map(({ id }) => id));
      position = page.next;
    } while (position !== undefined);
    expect(listed).toEqual(rows.map(({ id }) => id));
  });
});

it('an unknown owner finds nothing at once', async () => {
  const { operations, next, visited } = await pageOf({ kind: 'REFUND', ownerId: newId('usr') }, undefined);
  expect([operations, next, visited]).toEqual([[], undefined, 0]);
});
