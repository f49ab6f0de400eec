/** Stores many steps of payments: the notices and mails of both sides, the events of the log, and the deliveries to webhook endpoints. */
import { faultPoint } from '@payflowx/chassis';
import { inTransaction, unlessBrokenOff } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import type { PaymentStep } from '../domain/notice.ts';
import { findRecipients } from '../store/contacts.ts';
import type { Database, EventRow, TracedRow } from '../store/database.ts';
import { insertMails } from '../store/mails.ts';
import { recordEvents, type WokenEndpoint } from '../store/record-events.ts';
import type { AddMailJobs } from './mail-jobs.ts';
import { awaitEarlierSteps, splitByOrder } from './order-steps.ts';
import { prepareNotices } from './prepare-notices.ts';

export interface RecordDeps {
  db: Kysely<Database>;
  /** Called after the commit for endpoints with a delivery that is due. If it is not called, the sweep of deliveries finds them. */
  wake(endpoints: readonly WokenEndpoint[]): void;
  /** Undefined if no mails are sent: none are stored then. */
  addMailJobs?: AddMailJobs | undefined;
  /** Milliseconds that events are kept. Older ones are no longer in the log. Without a limit in tests. */
  retentionMs?: number;
  /** Milliseconds that a step waits for the earlier ones of its payment, if not as long as usual. */
  orderWaitMs?: number;
}

/**
 * Safe to repeat with the same steps: each side gets one notification and one mail of a step, the log has one event of it, and each
 * endpoint one delivery. Messages may be acknowledged when this returns. Steps of one payment are stored in their order, unless an earlier
 * one does not arrive for seconds.
 *
 * A step that is older than the log may have been purged, and its deliveries and mails with it. It only gets its notifications, which are
 * kept for ever.
 */
export async function recordSteps(deps: RecordDeps, steps: readonly PaymentStep[]): Promise<void> {
  const { ready, early } = await splitByOrder(deps.db, steps);
  await record(deps, ready);
  if (early.length === 0) return;
  await awaitEarlierSteps(deps.db, early, deps.orderWaitMs);
  await record(deps, early);
}

async function record(
  { db, wake, addMailJobs, retentionMs = Number.POSITIVE_INFINITY }: RecordDeps,
  steps: readonly PaymentStep[],
): Promise<void> {
  if (steps.length === 0) return;
  // Before the transaction, so that it stays short: a preference that changes meanwhile applies to later steps.
  const recipients = await findRecipients(db, ownersOf(steps));
  const keptFromMs = Date.now() - retentionMs;
  const mailsFromMs = addMailJobs ? keptFromMs : Number.POSITIVE_INFINITY;
  const { notifications, mails } = prepareNotices(steps, recipients, mailsFromMs);
  const kept = steps.filter(({ occurredAt }) => occurredAt.getTime() >= keptFromMs);
  const rows = { notifications, events: kept.map(toEvent) };
  const woken =
    addMailJobs && mails.length > 0
      ? await inTransaction(db, async (trx) => {
          await addMailJobs(trx, await insertMails(trx, mails));
          // Last, because its lock is held until the commit.
          return recordEvents(trx, rows);
        })
      : await unlessBrokenOff(() => recordEvents(db, rows));
  faultPoint('notification.after-commit');
  wake(woken);
}

function ownersOf(steps: readonly PaymentStep[]): string[] {
  return steps
    .flatMap(({ sender, receiver }) => [sender.ownerId, receiver.ownerId])
    .filter((id) => id !== '');
}

function toEvent(step: PaymentStep): EventRow & TracedRow {
  const { sender, receiver } = step;
  return {
    id: step.eventId,
    type: step.type,
    payment_id: step.paymentId,
    sender_account_id: sender.accountId,
    receiver_account_id: receiver.accountId,
    sender_owner_id: sender.ownerId || null,
    receiver_owner_id: receiver.ownerId || null,
    created_at: step.occurredAt,
    content: step.content,
    traceparent: step.traceparent ?? '',
  };
}
