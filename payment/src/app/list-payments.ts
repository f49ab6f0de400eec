/** Pages of payments, newest first. Customers see their own payments; operators, auditors and services see all. */
import { CallError, decodePageToken, encodePageToken, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { seesAll, viewFor } from '../domain/access.ts';
import type { Caller, Payment } from '../domain/payment.ts';
import { checkFilter, type PaymentFilter } from '../domain/payment-filter.ts';
import type { Database } from '../store/database.ts';
import { type Position, listPayments as readPage } from '../store/payment-lists.ts';

export interface ListRequest {
  filter: PaymentFilter;
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

/** The content of a page token: the last row of the page, and its filters. */
const PageToken = Type.Object(
  {
    at: Type.Integer({ minimum: 0, maximum: 8.64e15 }),
    id: Type.String({ pattern: '^pay_[0-9a-f-]{36}$' }),
    filter: Type.String(),
  },
  { additionalProperties: false },
);

/** Throws INVALID_ARGUMENT for a bad filter, and INVALID_PAGE_TOKEN for a token that is malformed or belongs to other filters. */
export async function listPayments(
  { db }: { db: Kysely<Database> },
  caller: Caller,
  { filter, pageSize, pageToken }: ListRequest,
): Promise<Page> {
  checkFilter(filter);
  const limit = pageSizeOf(pageSize);
  const position = positionOf(pageToken, filter);
  const ownerId = seesAll(caller) ? undefined : caller.id;
  // Reads one row more than the page size. If it exists, there is another page.
  const found = await readPage(db, { ...filter, ownerId }, position, limit + 1);
  const payments = found.slice(0, limit);
  const last = payments.at(-1);
  return {
    payments: payments.map((payment) => viewFor(caller, payment)),
    nextPageToken: found.length > limit && last ? tokenAfter(last, filter) : '',
  };
}

function tokenAfter({ createdAt, id }: Payment, filter: PaymentFilter): string {
  return encodePageToken({ at: createdAt.getTime(), id, filter: describe(filter) });
}

function positionOf(pageToken: string, filter: PaymentFilter): Position | undefined {
  const token = decodePageToken(pageToken, PageToken);
  if (token === undefined) return undefined;
  if (token.filter !== describe(filter)) {
    throw new CallError('INVALID_PAGE_TOKEN', 'The page token belongs to a list with other filters.', [
      { field: 'page_token', description: 'must be used with the filters of the request that returned it' },
    ]);
  }
  return { createdAt: new Date(token.at), id: token.id };
}

/** Returns the filters as one line, always in the same order. */
function describe(filter: PaymentFilter): string {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  return given
    .map(([name, value]) => `${name}=${value instanceof Date ? value.getTime() : value}`)
    .sort()
    .join('&');
}
