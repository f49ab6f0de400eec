/**
 * Reads audit records from payments and operations. The conditions are written as in the partial indexes, so that the planner uses
 * these. No record is written: the rows themselves say who requested them, and the service may not change that. So there is no action
 * without a record.
 */
import { type Kysely, sql } from 'kysely';
import {
  type AuditAction,
  type AuditRecord,
  CREATED,
  concernedSide,
  outcomeOf,
  TAKEN,
} from '../domain/audit.ts';
import type { RequestedKind } from '../domain/operation.ts';
import type { Database } from './database.ts';
import { byNewest, type Position } from './walk.ts';

export interface AuditFilter {
  /** The payer's or the receiver's account. Undefined: all accounts. */
  accountId: string | undefined;
  /** Undefined: all actors. */
  actorId: string | undefined;
}

/** Returns the next `limit` records after `position`, newest first. Requests that operators may make as owners are left out. */
export async function listAuditRecords(
  db: Kysely<Database>,
  filter: AuditFilter,
  position: Position | undefined,
  limit: number,
): Promise<AuditRecord[]> {
  const pages = await Promise.all([
    createdPayments(db, filter, position, limit),
    takenOperations(db, filter, position, limit),
  ]);
  const at = ({ createdAt, id }: AuditRecord) => ({ at: createdAt, id });
  return pages
    .flat()
    .sort((a, b) => byNewest(at(a), at(b)))
    .slice(0, limit);
}

async function createdPayments(
  db: Kysely<Database>,
  filter: AuditFilter,
  position: Position | undefined,
  limit: number,
): Promise<AuditRecord[]> {
  const rows = await db
    .selectFrom('payments as p')
    .select(['p.id', 'p.kind', 'p.state', 'p.failure_code', 'p.amount_minor', 'p.currency', 'p.created_at'])
    .select(['p.from_account', 'p.to_account', 'p.from_owner_id', 'p.to_owner_id'])
    .select(['p.caller_id', 'p.client_id', 'p.request_id', 'p.traceparent'])
    .where(sql<boolean>`'operator' = any(p.caller_roles)
      and (p.caller_id is distinct from p.from_owner_id or p.failure_code = 'OWN_ACCOUNT')`)
    .where(matching('p', filter, position))
    .orderBy('p.created_at', 'desc')
    .orderBy('p.id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => {
    const action = CREATED[row.kind];
    return { ...toRecord(row, action), outcome: outcomeOf(row.state), paymentId: row.id };
  });
}

async function takenOperations(
  db: Kysely<Database>,
  filter: AuditFilter,
  position: Position | undefined,
  limit: number,
): Promise<AuditRecord[]> {
  const rows = await db
    .selectFrom('operations as o')
    .innerJoin('payments as p', 'p.id', 'o.payment_id')
    .select(['o.id', 'o.kind as operation', 'o.state', 'o.failure_code', 'o.amount_minor', 'o.created_at'])
    .select(['o.caller_id', 'o.client_id', 'o.request_id', 'o.traceparent', 'o.payment_id'])
    .select(['p.kind', 'p.from_account', 'p.to_account', 'p.from_owner_id', 'p.to_owner_id', 'p.currency'])
    .where(sql<boolean>`o.by_operator and o.caller_id is distinct from
      case when o.kind = 'REFUND' then p.to_owner_id else p.from_owner_id end`)
    .where(matching('o', filter, position))
    .orderBy('o.created_at', 'desc')
    .orderBy('o.id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => {
    const action = TAKEN[row.operation as RequestedKind];
    const outcome = row.state === 'COMPLETED' ? 'DONE' : row.state;
    return { ...toRecord(row, action), outcome, paymentId: row.payment_id };
  });
}

/** The condition of the request. `table` is `p` for payments and `o` for operations; the accounts are those of the payment. */
function matching(table: 'p' | 'o', { accountId, actorId }: AuditFilter, position: Position | undefined) {
  const column = (name: string) => sql.ref(`${table}.${name}`);
  const conditions = [sql<boolean>`true`];
  if (accountId !== undefined) conditions.push(sql`${accountId} in (p.from_account, p.to_account)`);
  if (actorId !== undefined) conditions.push(sql`${column('caller_id')} = ${actorId}`);
  if (position !== undefined) {
    const { at, id } = position;
    conditions.push(sql`(${column('created_at')}, ${column('id')}) < (${at}, ${id})`);
  }
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

type Sides = Pick<
  Database['payments'],
  'kind' | 'from_account' | 'to_account' | 'from_owner_id' | 'to_owner_id'
>;

/** The columns of a record, of a payment or of an operation with its payment. */
type RecordRow = Sides &
  Pick<
    Database['payments'],
    'id' | 'client_id' | 'failure_code' | 'amount_minor' | 'currency' | 'created_at'
  > &
  Pick<Database['operations'], 'caller_id' | 'request_id' | 'traceparent'>;

function toRecord(row: RecordRow, action: AuditAction): Omit<AuditRecord, 'outcome' | 'paymentId'> {
  return {
    id: row.id,
    actorId: row.caller_id ?? '',
    clientId: row.client_id ?? undefined,
    action,
    failureCode: row.failure_code ?? undefined,
    ...concernedSide(sidesOf(row), action),
    amountMinor: row.amount_minor,
    currency: row.currency,
    requestId: row.request_id ?? '',
    traceparent: row.traceparent,
    createdAt: row.created_at,
  };
}

function sidesOf(row: Sides) {
  return {
    kind: row.kind,
    from: { accountId: row.from_account, ownerId: row.from_owner_id ?? undefined },
    to: { accountId: row.to_account, ownerId: row.to_owner_id ?? undefined },
  };
}
