/** Reads pages of one payment's refunds, newest first. */
import { type Kysely, sql } from 'kysely';
import type { Operation } from '../domain/operation.ts';
import type { Database } from './database.ts';
import { OPERATION_COLUMNS, toOperation } from './operations.ts';
import type { Position } from './payment-lists.ts';

/** Returns the next `limit` refunds after `position`: all, or only the completed ones. */
export async function listRefunds(
  db: Kysely<Database>,
  { paymentId, onlyCompleted }: { paymentId: string; onlyCompleted: boolean },
  position: Position | undefined,
  limit: number,
): Promise<Operation[]> {
  let query = db
    .selectFrom('operations')
    .select(OPERATION_COLUMNS)
    .where('payment_id', '=', paymentId)
    .where('kind', '=', 'REFUND');
  if (onlyCompleted) query = query.where('state', '=', 'COMPLETED');
  if (position) query = query.where(sql<boolean>`(created_at, id) < (${position.createdAt}, ${position.id})`);
  const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
  return rows.map(toOperation);
}
