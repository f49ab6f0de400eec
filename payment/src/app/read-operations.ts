/** Reads captures and refunds, for callers that may see their payments. */
import { type Caller, decodePageToken, encodePageToken, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import {
  maySee,
  maySeeOperation,
  operationNotFound,
  operationViewFor,
  seesActingSide,
  seesAll,
} from '../domain/access.ts';
import { isOperationId } from '../domain/ids.ts';
import { checkOperationFilter, type ListedKind, type OperationFilter } from '../domain/operation-filter.ts';
import type { Database } from '../store/database.ts';
import { listOperations as readPage } from '../store/operation-lists.ts';
import { findOperations } from '../store/operations.ts';
import { findPayment, findPayments } from '../store/payments.ts';
import type { Begun } from './accept-operations.ts';
import { getPayment } from './get-payment.ts';
import { toPosition, toTokenContent } from './page-position.ts';

export interface OperationsRequest {
  filter: OperationFilter;
  /** 0 for the default. */
  pageSize: number;
  /** Empty for the first page. */
  pageToken: string;
}

export interface OperationPage {
  /** Each with its payment as it is now. */
  operations: Begun[];
  /** Empty on the last page. */
  nextPageToken: string;
}

const PageToken = Type.Object({ at: Type.Integer(), id: Type.String() });

/** Throws CAPTURE_NOT_FOUND or REFUND_NOT_FOUND. */
export async function getOperation(
  { db }: { db: Kysely<Database> },
  caller: Caller,
  kind: ListedKind,
  id: string,
): Promise<Begun> {
  const operation = isOperationId(kind, id) ? (await findOperations(db, [id])).get(id) : undefined;
  const payment = operation && (await findPayment(db, operation.paymentId));
  if (!payment || !maySee(caller, payment) || !maySeeOperation(caller, payment, operation)) {
    throw operationNotFound(kind);
  }
  return { operation: operationViewFor(caller, operation), payment };
}

/**
 * Newest first. The side that does not capture or refund sees completed operations only. Throws INVALID_ARGUMENT for a bad filter,
 * INVALID_PAGE_TOKEN, and PAYMENT_NOT_FOUND for the payment of the filter.
 */
export async function listOperations(
  deps: { db: Kysely<Database> },
  caller: Caller,
  kind: ListedKind,
  { filter, pageSize, pageToken }: OperationsRequest,
): Promise<OperationPage> {
  checkOperationFilter(filter);
  const limit = pageSizeOf(pageSize);
  const position = toPosition(decodePageToken(pageToken, PageToken));
  const which = { ...filter, kind, ...(await visibleTo(deps, caller, kind, filter)) };
  const { operations, next } = await readPage(deps.db, which, position, { limit });
  const ids = [...new Set(operations.map(({ paymentId }) => paymentId))];
  const payments = new Map((await findPayments(deps.db, ids)).map((payment) => [payment.id, payment]));
  return {
    operations: operations.flatMap((operation) => {
      const payment = payments.get(operation.paymentId);
      return payment ? [{ operation: operationViewFor(caller, operation), payment }] : [];
    }),
    nextPageToken: next ? encodePageToken(toTokenContent(next)) : '',
  };
}

/** Returns the part of the operations that the caller may see. A list of one payment needs no owner: its caller may see the payment. */
async function visibleTo(
  deps: { db: Kysely<Database> },
  caller: Caller,
  kind: ListedKind,
  { paymentId }: OperationFilter,
) {
  if (paymentId === undefined) return seesAll(caller) ? {} : { ownerId: caller.id };
  const payment = await getPayment(deps, caller, paymentId);
  return { onlyCompleted: !seesActingSide(caller, payment, kind) };
}
