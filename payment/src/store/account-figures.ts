/**
 * Computes the totals of each account from its payments. Nothing else is stored, so the totals cannot differ from the payments.
 */
import { inTransaction } from '@payflowx/chassis/postgres';
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';

export interface AccountFigures {
  accountId: string;
  currency: string;
  postedMinor: bigint;
  heldMinor: bigint;
  sentMinor: bigint;
  receivedMinor: bigint;
  notificationCount: bigint;
  pendingCount: bigint;
}

/** If more messages than this are unpublished, the query does not look up their accounts. It counts every account as pending. */
const BACKLOG = 10_000;

/**
 * One line for each account and currency in payments. `among` makes a condition on an account column.
 *
 * The version of a payment counts its events. The first event is not notified, and each later step is one more event.
 */
const fold = (among: (column: string) => RawBuilder<unknown>) => sql`
  with unfinished as materialized (
    select payment_id from operations where state = 'PENDING'
    union all
    (select unnest(keys) from outbox limit ${BACKLOG + 1})
    union all
    (select unnest(keys) from outbox_dead_letters limit ${BACKLOG + 1})
  ), lines as (
    select from_account as account_id, currency, refunded_minor - captured_minor as posted,
      case when state in ('AUTHORIZED', 'PARTIALLY_CAPTURED') then amount_minor - captured_minor - released_minor end as held,
      case kind when 'PAYMENT' then captured_minor end as sent, null::bigint as received,
      case when from_owner_id is not null and coalesce(failure_code, '') not in ('FROM_ACCOUNT_NOT_FOUND', 'MANDATE_NOT_FOUND')
        then version - 1 end as notifications,
      0 as pending
    from payments where state <> 'INITIATED' and ${among('from_account')}
    union all
    select to_account, currency, captured_minor - refunded_minor, null, null,
      case kind when 'PAYMENT' then captured_minor end,
      case when to_owner_id is not null then version - 1 end,
      0
    from payments where state <> 'INITIATED' and ${among('to_account')}
    union all
    select side.account_id, p.currency, 0, null, null, null, null, 1
    from payments as p
      cross join lateral (values (p.from_account), (p.to_account)) as side (account_id)
    where p.state = 'INITIATED' and ${among('side.account_id')}
    union all
    select side.account_id, p.currency, 0, null, null, null, null, 1
    from unfinished as u join payments as p on p.id = u.payment_id
      cross join lateral (values (p.from_account), (p.to_account)) as side (account_id)
    where ${among('side.account_id')}
  )
  select account_id, currency, sum(posted)::bigint as posted_minor, coalesce(sum(held), 0)::bigint as held_minor,
    coalesce(sum(sent), 0) as sent_sum, coalesce(sum(received), 0) as received_sum,
    coalesce(sum(notifications), 0)::bigint as notification_count,
    sum(pending)::bigint + (select (count(*) > ${BACKLOG})::int from unfinished) as pending_count
  from lines group by account_id, currency`;

/** Returns the current figures of these accounts, by account and currency. Accounts without payments are left out. */
export async function foldFigures(
  db: Kysely<Database>,
  accountIds: readonly string[],
): Promise<AccountFigures[]> {
  const among = (column: string) => sql`${sql.ref(column)} = any(${accountIds}::text[])`;
  const { rows } = await sql<FiguresRow>`${fold(among)} order by account_id, currency`.execute(db);
  return rows.map(toFigures);
}

/** The figures of all accounts at one moment, kept for at least an hour so that they can be read page by page. */
export interface Snapshot {
  id: string;
  lineCount: number;
}

/** An instance of the previous version may read a later page of a snapshot. It knows only the int8 columns. */
const MAX_INT8 = sql`9223372036854775807::numeric`;

/** Statements that read all payments may run longer than other statements. */
export const FIGURES_STATEMENT_TIMEOUT_MS = 120_000;

/** Takes a snapshot, and deletes snapshots that are too old to be read. */
export async function takeSnapshot(db: Kysely<Database>, id: string): Promise<Snapshot> {
  return inTransaction(db, async (trx) => {
    await forgetOld(trx);
    const { numAffectedRows = 0n } = await sql`
      insert into account_figures (
        snapshot_id, position, account_id, currency, posted_minor, held_minor, sent_minor, received_minor,
        notification_count, pending_count, sent_sum, received_sum
      )
      select ${id}, row_number() over (order by account_id, currency), account_id, currency, posted_minor, held_minor,
        least(sent_sum, ${MAX_INT8}), least(received_sum, ${MAX_INT8}), notification_count, pending_count, sent_sum, received_sum
      from (${fold(() => sql`true`)}) as folded
      order by account_id, currency`.execute(trx);
    await sql`insert into figure_snapshots (id, line_count) values (${id}, ${numAffectedRows})`.execute(trx);
    return { id, lineCount: Number(numAffectedRows) };
  });
}

async function forgetOld(trx: Transaction<Database>): Promise<void> {
  await sql`
    with forgotten as (
      delete from figure_snapshots where taken_at < now() - interval '1 hour' returning id
    )
    delete from account_figures where snapshot_id in (select id from forgotten)`.execute(trx);
}

export async function findSnapshot(db: Kysely<Database>, id: string): Promise<Snapshot | undefined> {
  const { rows } = await sql<{ line_count: bigint }>`
    select line_count from figure_snapshots where id = ${id}`.execute(db);
  return rows[0] && { id, lineCount: Number(rows[0].line_count) };
}

/** Returns the lines of a snapshot after a position. */
export async function readSnapshot(
  db: Kysely<Database>,
  { id }: Snapshot,
  position: number,
  limit: number,
): Promise<AccountFigures[]> {
  const { rows } = await sql<FiguresRow>`
    select account_id, currency, posted_minor, held_minor, coalesce(sent_sum, sent_minor) as sent_sum,
      coalesce(received_sum, received_minor) as received_sum, notification_count, pending_count
    from account_figures where snapshot_id = ${id} and position > ${position}::bigint
    order by position limit ${limit}`.execute(db);
  return rows.map(toFigures);
}

interface FiguresRow {
  account_id: string;
  currency: string;
  posted_minor: bigint;
  held_minor: bigint;
  /** Numeric, which pg returns as text. */
  sent_sum: string;
  received_sum: string;
  notification_count: bigint;
  pending_count: bigint;
}

function toFigures(row: FiguresRow): AccountFigures {
  return {
    accountId: row.account_id,
    currency: row.currency,
    postedMinor: row.posted_minor,
    heldMinor: row.held_minor,
    sentMinor: BigInt(row.sent_sum),
    receivedMinor: BigInt(row.received_sum),
    notificationCount: row.notification_count,
    pendingCount: row.pending_count,
  };
}
