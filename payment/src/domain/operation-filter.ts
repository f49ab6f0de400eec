/** The filters of lists of captures and refunds. */
import { collectViolations } from '@payflowx/chassis/errors';
import { invalid } from './errors.ts';
import type { Operation } from './operation.ts';
import { isListedAccount, isTime } from './payment-filter.ts';

/** The kinds that readers see as objects. */
export type ListedKind = 'CAPTURE' | 'REFUND';

/** An operation must match all filters that are given. */
export interface OperationFilter {
  paymentId?: string | undefined;
  /** An account that is the payer or the receiver of the payment. */
  accountId?: string | undefined;
  state?: Operation['state'] | undefined;
  /** Created at or after this time. */
  createdAfter?: Date | undefined;
  /** Created before this time. */
  createdBefore?: Date | undefined;
}

/** Throws INVALID_ARGUMENT with every violation. */
export function checkOperationFilter({ accountId, createdAfter, createdBefore }: OperationFilter): void {
  const violations = collectViolations(invalid);
  violations.require(
    accountId === undefined || isListedAccount(accountId),
    'account_id',
    'must be acct_ and a UUID, or external:CURRENCY',
  );
  violations.require(isTime(createdAfter), 'created_after', 'must be a time');
  violations.require(isTime(createdBefore), 'created_before', 'must be a time');
  violations.throwIfAny();
}
