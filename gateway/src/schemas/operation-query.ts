/** The query of lists of captures and of refunds. */
import { type TSchema, Type } from 'typebox';
import { AnyAccountId, PaymentId } from './ids.ts';
import { ref } from './named.ts';
import { pageQuery, pageRequest, query } from './page.ts';
import { timeInput, timeOf } from './text.ts';

export const operationQuery = <T extends TSchema>(state: T) =>
  query({
    ...pageQuery,
    payment_id: Type.Optional(ref(PaymentId)),
    account_id: Type.Optional(ref(AnyAccountId)),
    state: Type.Optional(state),
    created_after: Type.Optional(timeInput('Created at or after.')),
    created_before: Type.Optional(timeInput('Created before.')),
  });

interface Filters {
  limit?: number;
  cursor?: string;
  payment_id?: string;
  account_id?: string;
  created_after?: string;
  created_before?: string;
}

/** The request but the state. */
export const operationsMessage = (filters: Filters) => ({
  ...pageRequest(filters),
  paymentId: filters.payment_id ?? '',
  accountId: filters.account_id ?? '',
  createdAfter: timeOf('/created_after', filters.created_after),
  createdBefore: timeOf('/created_before', filters.created_before),
});
