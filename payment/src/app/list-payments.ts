/** Pages of payments, by their time of creation. Customers see their own payments; operators, auditors and services see all. */
import { type Caller, decodePageToken, encodePageToken, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { seesAll, viewFor } from '../domain/access.ts';
import type { Payment } from '../domain/payment.ts';
import { checkFilter, type PaymentFilter } from '../domain/payment-filter.ts';
import type { Database } from '../store/database.ts';
import { listPayments as readPage } from '../store/payment-lists.ts';
import { readNotes } from '../store/payment-notes.ts';
import { toPosition, toTokenContent } from './page-position.ts';

export interface ListRequest {
  filter: PaymentFilter;
  /** True for the oldest first. */
  ascending: boolean;
  /** 0 for the default. */
  pageSize: number;
  /** Empty for the first page. */
  pageToken: string;
}

export interface Page {
  payments: Payment[];
  /** Empty on the last page. */
  nextPageToken: string;
}

/** The content of a page token: the last payment that the page visited. */
const PageToken = Type.Object({ at: Type.Integer(), id: Type.String() });

/** Throws INVALID_ARGUMENT for a bad filter, and INVALID_PAGE_TOKEN. */
export async function listPayments(
  { db }: { db: Kysely<Database> },
  caller: Caller,
  { filter, ascending, pageSize, pageToken }: ListRequest,
): Promise<Page> {
  checkFilter(filter);
  const limit = pageSizeOf(pageSize);
  const position = toPosition(decodePageToken(pageToken, PageToken));
  const ownerId = seesAll(caller) ? undefined : caller.id;
  const { payments, next } = await readPage(db, { ...filter, ownerId, ascending }, position, { limit });
  const changed = await readNotes(
    db,
    payments.map(({ id }) => id),
  );
  return {
    payments: payments.map((payment) => viewFor(caller, payment, changed.get(payment.id))),
    nextPageToken: next ? encodePageToken(toTokenContent(next)) : '',
  };
}
