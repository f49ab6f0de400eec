/** Checks requests for a step of a payment field by field, and converts them to terms. */
import { isText, startChecks, textRule } from './checks.ts';
import { isAmount, MAX_AMOUNT_MINOR } from './money.ts';
import type { Terms } from './operation.ts';
import { checkKey } from './order.ts';

const MAX_REASON = 500;

interface CaptureRequest {
  requestId: string;
  /** Undefined captures all that is still held. */
  amountMinor?: bigint | undefined;
  /** Undefined counts as true if the amount is undefined, and as false otherwise. */
  final?: boolean | undefined;
}

interface RefundRequest {
  requestId: string;
  /** Undefined refunds all that was captured and not refunded yet. */
  amountMinor?: bigint | undefined;
  reason: string;
}

/** Throws IDEMPOTENCY_KEY_REQUIRED, or INVALID_ARGUMENT with every violation. The other functions here throw the same. */
export function toCaptureTerms({ requestId, amountMinor, final }: CaptureRequest): Terms {
  checkFields(requestId, amountMinor, '');
  return { kind: 'CAPTURE', amountMinor, final: final ?? amountMinor === undefined, reason: '' };
}

export function toCancelTerms({ requestId }: { requestId: string }): Terms {
  checkFields(requestId, undefined, '');
  return { kind: 'CANCEL', amountMinor: undefined, final: false, reason: '' };
}

export function toRefundTerms({ requestId, amountMinor, reason }: RefundRequest): Terms {
  checkFields(requestId, amountMinor, reason);
  return { kind: 'REFUND', amountMinor, final: false, reason };
}

function checkFields(requestId: string, amountMinor: bigint | undefined, reason: string): void {
  const check = startChecks();
  checkKey(check, requestId);
  const isGoodAmount = amountMinor === undefined || isAmount(amountMinor);
  check('amount_minor', isGoodAmount, `must be from 1 to ${MAX_AMOUNT_MINOR}`);
  check('reason', isText(reason, MAX_REASON), textRule(MAX_REASON));
  check.end();
}
