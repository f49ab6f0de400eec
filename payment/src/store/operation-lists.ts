/** Lists of captures and refunds: the indexes that a page enters by, and the conditions of the filters. */
import { type Kysely, sql } from 'kysely';
import type { Operation } from '../domain/operation.ts';
import type { ListedKind, OperationFilter } from '../domain/operation-filter.ts';
import type { Database } from './database.ts';
import { OPERATION_COLUMNS, type OperationRow, toOperation } from './operations.ts';
import { type Condition, type Limits, type Position, readWalks, type Walk } from './walk.ts';

/** The kind, the filters of the request, and the part of the operations that the caller may see. */
export type ListFilter = OperationFilter & {
  kind: ListedKind;
  /** The user who sent or received the payments. Undefined: all users. */
  ownerId?: string | undefined;
  /** Only completed ones. For lists by payment, whose caller may be on the side that does not see the others. */
  onlyCompleted?: boolean;
};

const SIDES = ['from_account', 'to_account', 'from_owner_id', 'to_owner_id'] as const;

/** Returns a page like readWalks. */
export async function listOperations(
  db: Kysely<Database>,
  filter: ListFilter,
  position: Position | undefined,
  limits: Limits,
): Promise<{ operations: Operation[]; next: Position | undefined }> {
  const { createdAfter, createdBefore } = filter;
  const listing = {
    table: 'operations',
    columns: [...OPERATION_COLUMNS, ...SIDES],
    walks: walksOf(filter),
    conditions: conditionsOf(filter),
    from: createdAfter,
    before: createdBefore,
  } as const;
  const { rows, next } = await readWalks<OperationRow>(db, listing, position, limits);
  return { operations: rows.map(toOperation), next };
}

/** Returns the walks that together find every operation of the filter. */
function walksOf({ kind, paymentId, accountId, ownerId }: ListFilter): Walk[] {
  // Not by kind: operations from before their sides were stored are found by their payment, too.
  if (paymentId !== undefined) return [{ first: [{ column: 'payment_id', value: paymentId }] }];
  const by = (column?: (typeof SIDES)[number], value = '') => ({
    first: [{ column: 'kind', value: kind }, ...(column ? [{ column, value }] : [])],
    where: sql<boolean>`kind in ('CAPTURE', 'REFUND')`,
  });
  if (ownerId !== undefined) {
    const except = sql<boolean>`from_owner_id is distinct from ${ownerId}`;
    return [by('from_owner_id', ownerId), { ...by('to_owner_id', ownerId), except }];
  }
  if (accountId !== undefined) return [by('from_account', accountId), by('to_account', accountId)];
  return [by()];
}

function conditionsOf({ kind, accountId, ownerId, state, onlyCompleted }: ListFilter): Condition[] {
  const conditions = [sql<boolean>`kind = ${kind}`];
  if (accountId !== undefined) conditions.push(sql`${accountId} in (from_account, to_account)`);
  if (state !== undefined) conditions.push(sql`state = ${state}`);
  if (onlyCompleted) conditions.push(sql`state = 'COMPLETED'`);
  if (ownerId !== undefined)
    conditions.push(sql`(state = 'COMPLETED' or ${ownerId} = ${actingSideOf(kind)})`);
  return conditions;
}

/** The owner on the side that refunds or captures, as in domain/access.ts. */
function actingSideOf(kind: ListedKind) {
  if (kind === 'REFUND') return sql`to_owner_id`;
  return sql`(select case when p.captured_by_payee then to_owner_id else from_owner_id end
    from payments as p where p.id = visited.payment_id)`;
}
