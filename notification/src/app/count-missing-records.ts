/** Looks for events, deliveries and mails that were lost, for reconciliation. */
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { firstIdAt } from '../store/event-lists.ts';
import {
  countMissingDeliveries,
  countMissingEvents,
  countMissingMails,
  type Missing,
  timeOfNotification,
} from '../store/missing-records.ts';

export interface MissingDeps {
  /** Connections for statements that read many rows. */
  db: Kysely<Database>;
  /** Milliseconds that events and deliveries are kept. */
  eventRetentionMs: number;
  mailRetentionMs: number;
  now(): Date;
}

export interface AllMissing {
  events: Missing;
  deliveries: Missing;
  mails: Missing;
  examinedFrom: Date;
}

/** Notifications that are examined at most, the newest first. This bounds the cost of a reconciliation. */
export const MAX_EXAMINED = 1_000_000;
/** Rows that are about to be purged are not examined. */
const PURGE_MARGIN_MS = 3_600_000;

export async function countMissingRecords(
  { db, eventRetentionMs, mailRetentionMs, now }: MissingDeps,
  maxExamined = MAX_EXAMINED,
): Promise<AllMissing> {
  const oldest = (await timeOfNotification(db, maxExamined))?.getTime() ?? 0;
  const keptFrom = (retentionMs: number) =>
    new Date(Math.max(oldest, now().getTime() - retentionMs + PURGE_MARGIN_MS));
  const examinedFrom = keptFrom(eventRetentionMs);
  const mailsFrom = keptFrom(Math.min(eventRetentionMs, mailRetentionMs));
  return {
    // One after the other: together they would take all connections of the pool.
    events: await countMissingEvents(db, firstIdAt('ntf', examinedFrom)),
    deliveries: await countMissingDeliveries(db, firstIdAt('evt', examinedFrom)),
    mails: await countMissingMails(db, firstIdAt('ntf', mailsFrom)),
    examinedFrom,
  };
}
