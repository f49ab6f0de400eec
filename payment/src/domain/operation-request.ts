/** Checks requests for a step of a payment field by field, and converts them to terms. */

import { collectViolations } from '@payflowx/chassis/errors';
import { invalid } from './errors.ts';
import { isAmount, MAX_AMOUNT_MINOR } from './money.ts';
import { NO_NOTES, type Notes, type Terms } from './operation.ts';
import { checkKey, checkNotes } from './order.ts';

const MAX_REASON = 500;

interface CaptureRequest extends Notes {
  requestId: string;
  /** Undefined captures all that is still held. */
  amountMinor?: bigint | undefined;
  /** Undefined counts as true if the amount is undefined, and as false otherwise. */
  final?: boolean | undefined;
}

interface RefundRequest extends Notes {
  requestId: string;
  /** Undefined refunds all that was captured and not refunded yet. */
  amountMinor?: bigint | undefined;
  reason: string;
}

/** Throws IDEMPOTENCY_KEY_REQUIRED, or INVALID_ARGUMENT with every violation. The other functions here throw the same. */
export function toCaptureTerms({ requestId, amountMinor, final, ...request }: CaptureRequest): Terms {
  const notes = notesOf(request);
  checkFields(requestId, amountMinor, '', notes);
  return { kind: 'CAPTURE', amountMinor, final: final ?? amountMinor === undefined, reason: '', notes };
}

export function toCancelTerms({ requestId }: { requestId: string }): Terms {
  checkFields(requestId, undefined, '', NO_NOTES);
  return { kind: 'CANCEL', amountMinor: undefined, final: false, reason: '', notes: NO_NOTES };
}

export function toRefundTerms({ requestId, amountMinor, reason, ...request }: RefundRequest): Terms {
  const notes = notesOf(request);
  checkFields(requestId, amountMinor, reason, notes);
  return { kind: 'REFUND', amountMinor, final: false, reason, notes };
}

/**
 * The column of the metadata sorts its keys, by length and then by bytes. The event of a step has them in that order from the start, so that
 * it is the same when it is computed from the row.
 */
function notesOf({ reference, metadata }: Notes): Notes {
  const sorted = Object.entries(metadata).sort(([a], [b]) => {
    const byLength = Buffer.byteLength(a) - Buffer.byteLength(b);
    return byLength === 0 ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : byLength;
  });
  return { reference, metadata: Object.fromEntries(sorted) };
}

function checkFields(requestId: string, amountMinor: bigint | undefined, reason: string, notes: Notes): void {
  const violations = collectViolations(invalid);
  checkKey(violations, requestId);
  const isGoodAmount = amountMinor === undefined || isAmount(amountMinor);
  violations.require(isGoodAmount, 'amount_minor', `must be from 1 to ${MAX_AMOUNT_MINOR}`);
  violations.requireText('reason', reason, MAX_REASON);
  checkNotes(violations, notes);
  violations.throwIfAny();
}
