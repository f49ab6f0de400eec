/** Lists of payments: the indexes that a page enters by, and the conditions of the filters. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Payment, PaymentState } from '../domain/payment.ts';
import type { PaymentFilter } from '../domain/payment-filter.ts';
import type { Side } from '../domain/payment-notes.ts';
import type { Database } from './database.ts';
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from './payments.ts';
import {
  all,
  type Condition,
  type Limits,
  orderOf,
  type Position,
  rangeOf,
  readWalks,
  type Walk,
} from './walk.ts';

/** The owner of the payments, and the filters of the request. */
export type ListFilter = PaymentFilter & {
  /** The user who sent or received the payments. */
  ownerId?: string | undefined;
  /** True for the oldest first. */
  ascending?: boolean;
};

export interface Found {
  payments: Payment[];
  /** The last payment visited. Undefined if there is no other page. */
  next: Position | undefined;
}

/** Returns a page like readWalks. */
export async function listPayments(
  db: Kysely<Database>,
  filter: ListFilter,
  position: Position | undefined,
  limits: Limits,
): Promise<Found> {
  const { createdAfter, createdBefore, updatedAfter, updatedBefore, ascending = false } = filter;
  const times = isByUpdate(filter)
    ? ({ sortedBy: 'updated_at', from: updatedAfter, before: updatedBefore } as const)
    : { from: createdAfter, before: createdBefore };
  const { rows, next } = await readWalks<PaymentRow>(
    db,
    {
      table: 'payments',
      columns: PAYMENT_COLUMNS,
      walks: await walksOf(db, filter),
      conditions: conditionsOf(filter),
      ascending,
      ...times,
    },
    position,
    limits,
  );
  return { payments: rows.map(toPayment), next };
}

type Column =
  | 'from_account'
  | 'to_account'
  | 'from_owner_id'
  | 'to_owner_id'
  | 'reference'
  | 'state'
  | 'mandate_id';

/** The condition of the indexes by account, time and reference. So a payment enters them once, when it is decided. */
const IS_DECIDED = sql<boolean>`state <> 'INITIATED'`;

const by = (column: Column, value: string): Pick<Walk, 'first'> => ({ first: [{ column, value }] });

const decidedBy = (column: Column, value: string): Walk => ({ ...by(column, value), where: IS_DECIDED });

/** The undecided payments: those in progress, so hardly any. Their owners are not known yet. */
const UNDECIDED: Walk = { first: [], where: sql`state = 'INITIATED'` };

/** Returns the walks that together find every payment of the filter. */
async function walksOf(db: Kysely<Database>, filter: ListFilter): Promise<Walk[]> {
  const { ownerId, states } = filter;
  const isUndecided = (state: PaymentState) => state === 'INITIATED';
  if (ownerId !== undefined || states?.every((state) => !isUndecided(state)))
    return walksOfDecided(db, filter);
  return states?.every(isUndecided) ? [UNDECIDED] : [...(await walksOfDecided(db, filter)), UNDECIDED];
}

async function walksOfDecided(db: Kysely<Database>, filter: ListFilter): Promise<Walk[]> {
  const { ownerId, states = [], reference, mandateId } = filter;
  // Only one index is sorted by the last change. One for each side and account would cost every payment four entries more.
  if (isByUpdate(filter)) return [{ first: [], where: IS_DECIDED }];
  if (mandateId !== undefined) return [decidedBy('mandate_id', mandateId)];
  const sides = accountsOf(filter);
  const [account] = sides;
  if (reference !== undefined) return walksByReference(reference);
  if (
    account !== undefined &&
    (ownerId === undefined || (await isWalkedByAccount(db, account.value, ownerId)))
  ) {
    // A payment never goes from an account to itself, so no payment is in both walks.
    return sides.map(({ column, value }) => decidedBy(column, value));
  }
  if (ownerId !== undefined) {
    return [
      by('from_owner_id', ownerId),
      {
        ...by('to_owner_id', ownerId),
        except: sql`from_owner_id is distinct from ${ownerId}`,
      },
    ];
  }
  if (states.length > 0 && states.every(hasIndex)) {
    const where = sql<boolean>`state not in ('INITIATED', 'COMPLETED')`;
    return [...new Set(states)].map((state) => ({ ...by('state', state), where }));
  }
  return [{ first: [], where: IS_DECIDED }];
}

/** Walks the notes of requests and the changed notes. Notes that were changed since are left out by the conditions. */
function walksByReference(reference: string): Walk[] {
  const where = sql<boolean>`reference <> ''`;
  const changed = (side: Side): Walk => ({
    first: [
      { column: 'side', value: side },
      { column: 'reference', value: reference },
    ],
    where,
    through: 'payment_notes',
  });
  const isWalkedFirst = sql<boolean>`reference is distinct from ${reference}`;
  return [
    { ...by('reference', reference), where: sql`${where} and ${IS_DECIDED}` },
    { ...changed('PAYER'), except: sql`${IS_DECIDED} and ${isWalkedFirst}` },
    {
      ...changed('PAYEE'),
      except: sql`${IS_DECIDED} and ${isWalkedFirst} and not ${hasChanged('PAYER', sql`n.reference = ${reference}`)}`,
    },
  ];
}

/** True if the side has changed its notes of the payment, to those of the condition on `n`. walk.ts names the row `visited`. */
function hasChanged(side: Side, condition: Condition = sql`true`): Condition {
  return sql`exists (
    select from payment_notes as n where n.id = visited.id and n.side = ${side} and ${condition})`;
}

type NotesFilter = Pick<ListFilter, 'ownerId' | 'reference' | 'referencePrefix' | 'metadata'>;

const isByNotes = ({ reference, referencePrefix, metadata }: NotesFilter) =>
  reference !== undefined || referencePrefix !== undefined || metadata !== undefined;

/** The condition on the notes of the caller's own side, or of either side for callers that see all. */
function notesCondition({ ownerId, reference, referencePrefix, metadata }: NotesFilter) {
  const matching = (column: (name: string) => RawBuilder<unknown>) => {
    const conditions: Condition[] = [];
    if (reference !== undefined) conditions.push(sql`${column('reference')} = ${reference}`);
    if (referencePrefix !== undefined)
      conditions.push(sql`starts_with(${column('reference')}, ${referencePrefix})`);
    if (metadata !== undefined)
      conditions.push(sql`${column('metadata')}::jsonb @> ${JSON.stringify(metadata)}::jsonb`);
    return all(conditions);
  };
  const changed = matching((name) => sql.ref(`n.${name}`));
  const first = matching((name) => sql.ref(`visited.${name}`));
  // The notes of a request are of the side that made it: with a mandate, the payee.
  const payers = sql<boolean>`(${hasChanged('PAYER', changed)} or (${first} and mandate_id is null and not ${hasChanged('PAYER')}))`;
  const payees = sql<boolean>`(${hasChanged('PAYEE', changed)} or (${first} and mandate_id is not null and not ${hasChanged('PAYEE')}))`;
  if (ownerId === undefined) return sql<boolean>`(${payers} or ${payees})`;
  return sql<boolean>`case when from_owner_id = ${ownerId} then ${payers} else to_owner_id = ${ownerId} and ${payees} end`;
}

const isByUpdate = ({ updatedAfter, updatedBefore }: ListFilter) =>
  updatedAfter !== undefined || updatedBefore !== undefined;

/** Returns the columns of one account of the filter: both sides if it may be on either. */
function accountsOf({ accountId, fromAccount, toAccount }: ListFilter) {
  if (fromAccount !== undefined) return [{ column: 'from_account', value: fromAccount }] as const;
  if (toAccount !== undefined) return [{ column: 'to_account', value: toAccount }] as const;
  if (accountId === undefined) return [];
  return (['from_account', 'to_account'] as const).map((column) => ({ column, value: accountId }));
}

/** The index leaves out the states that every plain payment goes through, so that it costs these payments nothing. */
const hasIndex = (state: PaymentState) => state !== 'INITIATED' && state !== 'COMPLETED';

/** The newest payments of an account, on each side, that decide how a customer's list of it is walked. */
const COMPARED = 10;

/**
 * Returns true if a customer's list of this account walks the account, and false if it walks the customer's own payments. Both find the
 * same, but the account of another user may have far more payments than the customer, or the other way round. So an account is walked
 * if the customer owns it, or if it has hardly any payments.
 */
async function isWalkedByAccount(db: Kysely<Database>, accountId: string, ownerId: string): Promise<boolean> {
  const newest = (account: Column, owner: Column) => {
    const walk = decidedBy(account, accountId);
    return sql`
      select count(*) as payments, coalesce(bool_or(owner = ${ownerId}), false) as is_own from (
        select ${sql.ref(owner)} as owner from payments where ${all(rangeOf(walk))}
        order by ${orderOf(walk)} limit ${sql.lit(COMPARED)}) as newest`;
  };
  const { rows } = await sql<{ walked: boolean }>`
    select bool_or(is_own) or max(payments) < ${sql.lit(COMPARED)} as walked
    from (${newest('from_account', 'from_owner_id')} union all ${newest('to_account', 'to_owner_id')}) as sides`.execute(
    db,
  );
  return rows[0]?.walked === true;
}

/** All conditions of the filter but the times that a walk has. Some of them follow from the range of a walk. */
function conditionsOf(filter: ListFilter): Condition[] {
  const { createdAfter, createdBefore } = filter;
  const { accountId, fromAccount, toAccount, ownerId, states, kind } = filter;
  const { currency, amountMinMinor, amountMaxMinor, mandateId } = filter;
  const conditions: Condition[] = [];
  if (isByUpdate(filter)) {
    if (createdAfter !== undefined) conditions.push(sql`created_at >= ${createdAfter}`);
    if (createdBefore !== undefined) conditions.push(sql`created_at < ${createdBefore}`);
  }
  if (accountId !== undefined) conditions.push(sql`${accountId} in (from_account, to_account)`);
  if (fromAccount !== undefined) conditions.push(sql`from_account = ${fromAccount}`);
  if (toAccount !== undefined) conditions.push(sql`to_account = ${toAccount}`);
  // No side sees the notes of the other, so it must not find the payment by them either.
  if (isByNotes(filter)) conditions.push(notesCondition(filter));
  if (ownerId !== undefined) conditions.push(sql`(from_owner_id = ${ownerId} or to_owner_id = ${ownerId})`);
  if (states !== undefined) conditions.push(sql`state = any(${states}::text[])`);
  if (mandateId !== undefined) conditions.push(sql`mandate_id = ${mandateId}`);
  if (kind !== undefined) conditions.push(sql`kind = ${kind}`);
  if (currency !== undefined) conditions.push(sql`currency = ${currency}`);
  if (amountMinMinor !== undefined) conditions.push(sql`amount_minor >= ${amountMinMinor}`);
  if (amountMaxMinor !== undefined) conditions.push(sql`amount_minor <= ${amountMaxMinor}`);
  return conditions;
}
