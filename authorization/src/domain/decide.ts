/**
 * Decides one step of a payment, of any kind. Pure: no clock, no database. The caller holds the locks, applies the changes, and
 * passes the new state to the next step.
 */
import { authorize } from './authorize.ts';
import { capture } from './capture.ts';
import type { Books, DecideContext, Decided } from './decision-context.ts';
import { refund } from './refund.ts';
import { release } from './release.ts';
import type { StepRequest } from './step-request.ts';

/** Throws HOLD_NOT_FOUND for a capture or release of a payment that never had a hold. */
export function decide(request: StepRequest, books: Books, context: DecideContext): Decided {
  switch (request.kind) {
    case 'AUTHORIZE':
      return authorize(request, books, context);
    case 'CAPTURE':
      return capture(request, books, context);
    case 'RELEASE':
      return release(request, books, context);
    case 'REFUND':
      return refund(request, books, context);
  }
}
