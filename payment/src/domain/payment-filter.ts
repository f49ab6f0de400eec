/** The filters of a list of payments. */

import { collectViolations } from '@payflowx/chassis/errors';
import { requireMetadata } from '@payflowx/chassis/metadata';
import { isCurrency } from '@payflowx/proto/currency';
import { invalid } from './errors.ts';
import { isAccountId, isMandateId } from './ids.ts';
import { CURRENCY_RULE, MAX_REFERENCE, type PaymentKind } from './order.ts';
import type { PaymentState } from './payment.ts';

/** A payment must match all filters that are given. */
export interface PaymentFilter {
  /** An account that is the payer or the receiver. */
  accountId?: string | undefined;
  /** In one of these. Undefined: in any. */
  states?: readonly PaymentState[] | undefined;
  kind?: PaymentKind | undefined;
  fromAccount?: string | undefined;
  toAccount?: string | undefined;
  /** All of these pairs. */
  metadata?: Readonly<Record<string, string>> | undefined;
  currency?: string | undefined;
  reference?: string | undefined;
  /** The text that the reference begins with. Capitals count. */
  referencePrefix?: string | undefined;
  /** Created at or after this time. */
  createdAfter?: Date | undefined;
  /** Created before this time. */
  createdBefore?: Date | undefined;
  /** Last changed at or after this time. With one of these two, the list is sorted by the time of the last change. */
  updatedAfter?: Date | undefined;
  /** Last changed before this time. */
  updatedBefore?: Date | undefined;
  /** The mandate that the request named. */
  mandateId?: string | undefined;
  amountMinMinor?: bigint | undefined;
  amountMaxMinor?: bigint | undefined;
}

/** Throws INVALID_ARGUMENT with every violation. */
export function checkFilter(filter: PaymentFilter): void {
  const { accountId, fromAccount, toAccount, currency, reference, referencePrefix, mandateId } = filter;
  const violations = collectViolations(invalid);
  const accounts = { account_id: accountId, from_account: fromAccount, to_account: toAccount };
  for (const [field, id] of Object.entries(accounts)) {
    const isGood = id === undefined || isListedAccount(id);
    violations.require(isGood, field, 'must be acct_ and a UUID, or external:CURRENCY');
  }
  violations.require(currency === undefined || isCurrency(currency), 'currency', CURRENCY_RULE);
  const isMandate = mandateId === undefined || isMandateId(mandateId);
  violations.require(isMandate, 'mandate_id', 'must be man_ and a UUID');
  if (reference !== undefined) violations.requireText('reference', reference, MAX_REFERENCE);
  if (referencePrefix !== undefined)
    violations.requireText('reference_prefix', referencePrefix, MAX_REFERENCE);
  requireMetadata(violations, filter.metadata ?? {});
  const { createdAfter, createdBefore, updatedAfter, updatedBefore } = filter;
  const times = {
    ...{ created_after: createdAfter, created_before: createdBefore },
    ...{ updated_after: updatedAfter, updated_before: updatedBefore },
  };
  for (const [field, time] of Object.entries(times))
    violations.require(isTime(time), field, 'must be a time');
  violations.throwIfAny();
}

export function isListedAccount(accountId: string): boolean {
  return isAccountId(accountId) || /^external:[A-Z]{3}$/.test(accountId);
}

export function isTime(time: Date | undefined): boolean {
  return time === undefined || !Number.isNaN(time.getTime());
}
