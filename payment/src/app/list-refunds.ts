/** Pages of one payment's refunds, newest first, for callers that may see the payment. */
import { cutPage, decodePageToken, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { isOwnOrSeesAll, seesReceiversSide } from '../domain/access.ts';
import type { Operation } from '../domain/operation.ts';
import type { Caller, Payment } from '../domain/payment.ts';
import type { Database } from '../store/database.ts';
import { listRefunds as readPage } from '../store/refund-lists.ts';
import { getPayment } from './get-payment.ts';
import { toPosition, toTokenContent } from './page-position.ts';

export interface RefundPage {
  payment: Payment;
  refunds: Operation[];
  /** Empty on the last page. */
  nextPageToken: string;
}

const PageToken = Type.Object({ at: Type.Integer(), id: Type.String() });

/**
 * The payer sees only completed refunds. The receiver also sees pending and declined ones. Throws PAYMENT_NOT_FOUND,
 * INVALID_PAGE_TOKEN.
 */
export async function listRefunds(
  deps: { db: Kysely<Database> },
  caller: Caller,
  request: { paymentId: string; pageSize: number; pageToken: string },
): Promise<RefundPage> {
  const limit = pageSizeOf(request.pageSize);
  const token = decodePageToken(request.pageToken, PageToken);
  const payment = await getPayment(deps, caller, request.paymentId);
  const which = { paymentId: payment.id, onlyCompleted: !seesReceiversSide(caller, payment) };
  const found = await readPage(deps.db, which, toPosition(token), limit + 1);
  const { rows, nextPageToken } = cutPage(found, limit, toTokenContent);
  return { payment, refunds: rows.map((refund) => viewFor(caller, refund)), nextPageToken };
}

/** Returns the refund as this caller may see it: the API client only if it is the caller's own, or if the caller sees all. */
function viewFor(caller: Caller, refund: Operation): Operation {
  const { origin } = refund;
  if (isOwnOrSeesAll(caller, origin.callerId)) return refund;
  return { ...refund, origin: { ...origin, clientId: undefined } };
}
