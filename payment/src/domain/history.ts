/** Computes the changes of a payment again from its stored decisions. Pure. */
import { type Operation, settle } from './operation.ts';
import { begun, type Change, type Decision, decide, type Payment } from './payment.ts';

/** A payment as it is stored, with the decisions that led to it. Each decision has the id of its event. */
export interface History {
  readonly payment: Payment;
  readonly initiatedEventId: string;
  /** Undefined while the payment is INITIATED. */
  readonly decision: Decision | undefined;
  /** The completed operations, in the order in which they were stored. */
  readonly operations: readonly { readonly operation: Operation; readonly decision: Decision }[];
}

export interface PastChange {
  readonly change: Change;
  readonly eventId: string;
  /** The operation that caused the change, with its outcome. */
  readonly operation: Operation | undefined;
}

/**
 * Returns all changes of the payment, oldest first: the same that were announced when they happened.
 *
 * Throws if the decisions do not lead to the payment, for example because operations are missing.
 */
export function changesOf({ payment, initiatedEventId, decision, operations }: History): PastChange[] {
  const start = startOf(payment, decision);
  const changes: PastChange[] = [{ change: start, eventId: initiatedEventId, operation: undefined }];
  let current = start.payment;
  if (decision) {
    const change = decide(current, decision);
    changes.push({ change, eventId: decision.eventId, operation: undefined });
    current = change.payment;
  }
  for (const { operation, decision } of operations) {
    const settled = settle(current, { ...operation, state: 'PENDING' }, decision);
    if (!settled?.change) throw new Error(`Operation ${operation.id} cannot have followed.`);
    changes.push({ change: settled.change, eventId: decision.eventId, operation: settled.operation });
    current = settled.payment;
  }
  if (current.version !== payment.version || current.state !== payment.state)
    throw new Error(`The decisions lead to version ${current.version}, the payment has ${payment.version}.`);
  return changes;
}

/**
 * Returns the payment as it began, before its decision. The owner that the caller claimed is left out, because the event does not have
 * it. The end of a hold that authorization made is as far from its decision as the requested end was from the request.
 */
export function startOf(payment: Payment, decision: Decision | undefined): Change {
  const { createdAt } = payment;
  const heldMs = decision?.holdExpiresAt && decision.holdExpiresAt.getTime() - decision.decidedAt.getTime();
  return begun({
    ...payment,
    fromOwnerId: undefined,
    holdExpiresAt: heldMs === undefined ? payment.holdExpiresAt : new Date(createdAt.getTime() + heldMs),
  });
}
