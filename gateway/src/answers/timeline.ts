/** Merges the records of several services about one payment into one order. Pure. */
import { Outcome } from '@payflowx/proto/authorization';
import type { Entry } from '@payflowx/proto/ledger';
import type { Notification } from '@payflowx/proto/notification';
import type { PaymentStep } from '@payflowx/proto/payment';
import { decisionJson } from '../schemas/decision.ts';
import { entryJson } from '../schemas/journal.ts';
import { notificationJson } from '../schemas/notification.ts';
import { STATES } from '../schemas/payment.ts';
import { emptyAsNull, timeJson } from '../schemas/text.ts';
import { movementJson, type Source, type TimelineItemJson } from '../schemas/timeline.ts';

export interface Parts {
  steps: readonly PaymentStep[];
  entries: readonly Entry[];
  notifications: readonly Notification[];
}

/** The order within one millisecond: a step is decided, taken, posted, notified. */
const SOURCE_ORDER: Record<Source, number> = { authorization: 0, payment: 1, ledger: 2, notification: 3 };

/** An item, and the index of the step that it belongs to. */
interface Placed {
  item: TimelineItemJson;
  step: number;
}

/** Sorts by time, then by step, then by source. Items that are equal in all three keep their order. */
export function mergeTimeline({ steps, entries, notifications }: Parts): TimelineItemJson[] {
  const placed = [
    ...steps.flatMap(itemsOfStep),
    ...itemsOfJournal(entries, steps),
    ...notifications.map((notification) => itemOfNotification(notification, steps)),
  ];
  placed.sort(
    (left, right) =>
      compare(left.item.at, right.item.at) ||
      left.step - right.step ||
      SOURCE_ORDER[left.item.source] - SOURCE_ORDER[right.item.source],
  );
  return placed.map(({ item }) => item);
}

/** Compares times as text. All have the same format, so they sort correctly. */
function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

function itemsOfStep(message: PaymentStep, step: number): Placed[] {
  const { decision, movements } = message;
  const shared = { trace_id: emptyAsNull(message.traceId), ...refundOf(message) };
  const item: TimelineItemJson = {
    at: timeJson(message.occurredAt),
    source: 'payment',
    type: message.type,
    ...shared,
    event_id: message.eventId,
    state: STATES.nameOf(message.state),
    ...(message.actorId !== '' && { actor_id: message.actorId }),
    ...(message.clientId !== '' && { client_id: message.clientId }),
    movements: movements.map(movementJson),
  };
  if (!decision) return [{ item, step }];
  const decided: TimelineItemJson = {
    at: timeJson(decision.decidedAt),
    source: 'authorization',
    type: decision.outcome === Outcome.APPROVED ? 'decision.approved' : 'decision.declined',
    ...shared,
    decision: decisionJson(decision),
  };
  return [
    { item: decided, step },
    { item, step },
  ];
}

/** The id of a journal transaction has the UUID of the event that caused it. */
function itemsOfJournal(entries: readonly Entry[], steps: readonly PaymentStep[]): Placed[] {
  const transactions = Map.groupBy(entries, ({ transactionId }) => transactionId);
  return [...transactions].map(([transactionId, own]) => {
    const uuid = transactionId.slice('txn_'.length);
    const step = steps.findIndex(({ eventId }) => eventId.slice('evt_'.length) === uuid);
    const item: TimelineItemJson = {
      at: timeJson(own[0]?.createdAt),
      source: 'ledger',
      type: steps[step]?.type ?? 'transaction.posted',
      ...contextOf(steps[step]),
      transaction_id: transactionId,
      entries: own.map(entryJson).sort((left, right) => compare(left.id, right.id)),
    };
    return { item, step };
  });
}

function itemOfNotification(notification: Notification, steps: readonly PaymentStep[]): Placed {
  const step = steps.findIndex(({ eventId }) => eventId === notification.eventId);
  const item: TimelineItemJson = {
    at: timeJson(notification.createdAt),
    source: 'notification',
    type: notification.eventType,
    ...contextOf(steps[step]),
    notification: notificationJson(notification),
  };
  return { item, step };
}

function contextOf(step: PaymentStep | undefined) {
  return { trace_id: emptyAsNull(step?.traceId ?? ''), ...refundOf(step) };
}

function refundOf(step: PaymentStep | undefined) {
  return step && step.refundId !== '' ? { refund_id: step.refundId } : {};
}
