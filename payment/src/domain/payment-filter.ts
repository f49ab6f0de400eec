/** The filters of a list of payments. */
import { isCurrency } from '@payflowx/proto/currency';
import { isAccountId, isText, startChecks, textRule } from './checks.ts';
import { CURRENCY_RULE, MAX_REFERENCE } from './order.ts';
import type { PaymentState } from './payment.ts';

/** A payment must match all filters that are given. */
export interface PaymentFilter {
  /** An account that is the payer or the receiver. */
  accountId?: string | undefined;
  state?: PaymentState | undefined;
  currency?: string | undefined;
  reference?: string | undefined;
  /** Created at or after this time. */
  createdAfter?: Date | undefined;
  /** Created before this time. */
  createdBefore?: Date | undefined;
  amountMinMinor?: bigint | undefined;
  amountMaxMinor?: bigint | undefined;
}

/** Throws INVALID_ARGUMENT with every violation. */
export function checkFilter(filter: PaymentFilter): void {
  const { accountId, currency, reference, createdAfter, createdBefore } = filter;
  const check = startChecks();
  check(
    'account_id',
    accountId === undefined || isListedAccount(accountId),
    'must be acct_ and a UUID, or external:CURRENCY',
  );
  check('currency', currency === undefined || isCurrency(currency), CURRENCY_RULE);
  check('reference', reference === undefined || isText(reference, MAX_REFERENCE), textRule(MAX_REFERENCE));
  check('created_after', isTime(createdAfter), 'must be a time');
  check('created_before', isTime(createdBefore), 'must be a time');
  check.end();
}

function isListedAccount(accountId: string): boolean {
  const [scheme, currency = ''] = accountId.split(':', 2);
  return isAccountId(accountId) || (scheme === 'external' && isCurrency(currency));
}

function isTime(time: Date | undefined): boolean {
  return time === undefined || !Number.isNaN(time.getTime());
}
