/**
 * Reads pages of payments, newest first. Each filter on an account or an owner needs two index scans, whose results are merged.
 */
import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import type { Payment } from '../domain/payment.ts';
import type { PaymentFilter } from '../domain/payment-filter.ts';
import type { Database } from './database.ts';
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from './payments.ts';

/** The owner of the payments, and the filters of the request. */
export type ListFilter = PaymentFilter & {
  /** The user who sent or received the payments. */
  ownerId?: string | undefined;
};

/** The last row of a page. */
export interface Position {
  createdAt: Date;
  id: string;
}

type Walk = SelectQueryBuilder<Database, 'payments', PaymentRow>;

/** Returns the next `limit` payments after `position`. */
export async function listPayments(
  db: Kysely<Database>,
  filter: ListFilter,
  position: Position | undefined,
  limit: number,
): Promise<Payment[]> {
  const walks = walksOf(db, filter).map((walk) => newestFirst(filtered(walk, filter), position, limit));
  const pages = await Promise.all(walks.map((walk) => walk.execute()));
  return pages.flat().sort(byNewest).slice(0, limit).map(toPayment);
}

/** Returns the queries that together find every payment of the filter, each payment once. */
function walksOf(db: Kysely<Database>, { accountId, ownerId }: ListFilter): Walk[] {
  const all: Walk = db.selectFrom('payments').select(PAYMENT_COLUMNS);
  // A payment never goes from an account to itself, so no payment is in both results.
  if (accountId !== undefined) {
    return [all.where('from_account', '=', accountId), all.where('to_account', '=', accountId)];
  }
  if (ownerId !== undefined) {
    // A payment between two accounts of one owner is only in the first result.
    const received = all.where('to_owner_id', '=', ownerId);
    return [
      all.where('from_owner_id', '=', ownerId),
      received.where(sql<boolean>`from_owner_id is distinct from ${ownerId}`),
    ];
  }
  return [all];
}

function filtered(walk: Walk, filter: ListFilter): Walk {
  const { accountId, ownerId, state, currency, reference, createdAfter, createdBefore } = filter;
  const { amountMinMinor, amountMaxMinor } = filter;
  let query = walk;
  if (accountId !== undefined && ownerId !== undefined) {
    query = query.where((eb) => eb.or([eb('from_owner_id', '=', ownerId), eb('to_owner_id', '=', ownerId)]));
  }
  if (state !== undefined) query = query.where('state', '=', state);
  if (currency !== undefined) query = query.where('currency', '=', currency);
  // The index on references leaves out the empty reference. The planner uses it only if the query excludes the empty reference
  // too.
  if (reference !== undefined) {
    query = query.where(sql<boolean>`reference = ${reference} and reference <> ''`);
    // The receiver does not see the payer's reference, so it must not find the payment by it either.
    if (ownerId !== undefined) query = query.where('from_owner_id', '=', ownerId);
  }
  if (createdAfter !== undefined) query = query.where('created_at', '>=', createdAfter);
  if (createdBefore !== undefined) query = query.where('created_at', '<', createdBefore);
  if (amountMinMinor !== undefined) query = query.where('amount_minor', '>=', amountMinMinor);
  if (amountMaxMinor !== undefined) query = query.where('amount_minor', '<=', amountMaxMinor);
  return query;
}

function newestFirst(walk: Walk, position: Position | undefined, limit: number): Walk {
  const rest = position
    ? walk.where(sql<boolean>`(created_at, id) < (${position.createdAt}, ${position.id})`)
    : walk;
  return rest.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
}

function byNewest(a: PaymentRow, b: PaymentRow): number {
  const byTime = b.created_at.getTime() - a.created_at.getTime();
  if (byTime !== 0) return byTime;
  return a.id < b.id ? 1 : -1;
}
