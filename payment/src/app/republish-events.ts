/**
 * Publishes past events again, with the same ids and the same bytes. They are computed from the stored decisions and go through the
 * outbox, so the relay publishes them among the new events. Consumers skip the events that they have.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@payflowx/chassis';
import { insertOutbox, inTransaction, type OutboxRow, waitForRelays } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { changesOf, type History } from '../domain/history.ts';
import type { Operation } from '../domain/operation.ts';
import { toOutboxRows } from '../messages/payment-event.ts';
import type { Database } from '../store/database.ts';
import { nextPayments, readHistories, type Unreadable } from '../store/histories.ts';
import { findKeys, type SeenRequest } from '../store/idempotency-keys.ts';
import { fingerprintOfStep } from './fingerprint.ts';
import { keyText } from './idempotency.ts';

/** The events to publish: of these payments, or of a time range. Undefined ends of the range are open. */
export type Selection =
  | { readonly paymentIds: readonly string[] }
  | { readonly from: Date | undefined; readonly to: Date | undefined; readonly afterId: string };

export interface RepublishSettings {
  selection: Selection;
  destinations: readonly string[];
  eventsPerSecond: number;
  /** False only counts. */
  isReal: boolean;
}

export interface RepublishDeps {
  db: Kysely<Database>;
  log: Logger;
  now(): Date;
}

/** Counts are of events, one for each destination. */
export interface Republished {
  payments: number;
  events: number;
  unreadable: number;
  /** All payments up to this one are done. */
  lastId: string;
}

const PAYMENTS_AT_ONCE = 100;
const VISITS_AT_ONCE = 2_000;
/** Small rows, so that new events wait behind few old ones. */
const EVENTS_IN_A_ROW = 200;
const PROGRESS_EVERY_MS = 5_000;

/** The clock of the payment and that of its decision may differ by less. */
const CLOCK_MARGIN_MS = 24 * 60 * 60 * 1_000;

/** Safe at any time, and to repeat. After an interruption, continue with the last logged id as `afterId`. */
export async function republishEvents(
  deps: RepublishDeps,
  settings: RepublishSettings,
): Promise<Republished> {
  const done: Republished = { payments: 0, events: 0, unreadable: 0, lastId: '' };
  const pace = createPace(settings.eventsPerSecond);
  let loggedAt = 0;
  for await (const ids of selectPayments(deps, settings.selection)) {
    const { histories: stored, unreadable } = await readHistories(deps.db, ids);
    const histories = await withNamedAmounts(deps.db, stored);
    const rows: OutboxRow[] = [];
    for (const history of histories) {
      const selected = rowsOf(history, settings);
      if ('reason' in selected) unreadable.push(selected);
      else if (selected.rows.length > 0) {
        rows.push(...selected.rows);
        done.payments += 1;
      }
    }
    reportUnreadable(deps.log, unreadable);
    if (settings.isReal) await publish(deps, rows, pace);
    done.events += rows.length;
    done.unreadable += unreadable.length;
    done.lastId = ids.at(-1) ?? done.lastId;
    if (Date.now() - loggedAt < PROGRESS_EVERY_MS) continue;
    loggedAt = Date.now();
    deps.log.info({ ...done }, settings.isReal ? 'publishing events again' : 'counting events');
  }
  return done;
}

async function* selectPayments({ db, now }: RepublishDeps, selection: Selection): AsyncGenerator<string[]> {
  if ('paymentIds' in selection) {
    yield* chunks(selection.paymentIds, PAYMENTS_AT_ONCE);
    return;
  }
  const { from, to = now() } = selection;
  const last = to.getTime() + CLOCK_MARGIN_MS;
  let { afterId } = selection;
  for (;;) {
    const visited = await nextPayments(db, { afterId, from, limit: VISITS_AT_ONCE });
    const changed = visited.filter(({ isChanged, createdAt }) => isChanged && createdAt.getTime() <= last);
    yield* chunks(
      changed.map(({ id }) => id),
      PAYMENTS_AT_ONCE,
    );
    const newest = visited.at(-1);
    if (!newest || newest.createdAt.getTime() > last) return;
    afterId = newest.id;
  }
}

/**
 * Earlier versions did not store that a refund named no amount. Its key still says so. Without that, a restored key would refuse the
 * request that it belongs to.
 */
async function withNamedAmounts(db: Kysely<Database>, histories: readonly History[]): Promise<History[]> {
  const keys = histories.flatMap(({ operations }) =>
    operations.flatMap(({ operation }) => (mayHideRest(operation) ? keyOf(operation) : [])),
  );
  if (keys.length === 0) return [...histories];
  const seen = new Map((await findKeys(db, keys)).map((request) => [keyText(request), request]));
  return histories.map((history) => ({
    ...history,
    operations: history.operations.map(({ operation, decision }) => ({
      operation: namedNoAmount(operation, seen) ? { ...operation, takesRest: true } : operation,
      decision,
    })),
  }));
}

const mayHideRest = ({ kind, takesRest }: Operation) => kind === 'REFUND' && !takesRest;

function keyOf({ origin: { callerId, requestId } }: Operation) {
  return callerId !== undefined && requestId !== undefined ? [{ callerId, requestId }] : [];
}

function namedNoAmount(operation: Operation, seen: ReadonlyMap<string, SeenRequest>): boolean {
  const [key] = mayHideRest(operation) ? keyOf(operation) : [];
  const request = key && seen.get(keyText(key));
  if (request?.operationId !== operation.id) return false;
  const { paymentId, final, reason, notes } = operation;
  const terms = { kind: 'REFUND', amountMinor: undefined, final, reason, notes } as const;
  return request.fingerprint.equals(fingerprintOfStep('CreateRefund', paymentId, terms));
}

function rowsOf(
  history: History,
  { selection, destinations }: RepublishSettings,
): { rows: OutboxRow[] } | Unreadable {
  const isSelected = (time: Date) =>
    'paymentIds' in selection ||
    ((!selection.from || time >= selection.from) && (!selection.to || time < selection.to));
  try {
    const rows = changesOf(history)
      .filter(({ change }) => isSelected(change.event.occurredAt))
      .flatMap(({ change, eventId, operation }) => toOutboxRows(change, eventId, operation));
    return { rows: rows.filter(({ destination }) => destinations.includes(destination)) };
  } catch (error) {
    return { paymentId: history.payment.id, reason: String(error) };
  }
}

function reportUnreadable(log: Logger, unreadable: readonly Unreadable[]): void {
  for (const { paymentId, reason } of unreadable)
    log.warn({ payment_id: paymentId, reason }, 'the events of this payment cannot be computed again');
}

async function publish(
  { db, log }: RepublishDeps,
  rows: readonly OutboxRow[],
  pace: (events: number) => Promise<void>,
): Promise<void> {
  for (const some of chunks(rows, EVENTS_IN_A_ROW)) {
    await pace(some.length);
    await waitForRelays(db, log, [...new Set(some.map(({ destination }) => destination))]);
    await inTransaction(db, (trx) => insertOutbox(trx, some));
  }
}

/** Returns a function that resolves when so many more events may be published. */
function createPace(eventsPerSecond: number): (events: number) => Promise<void> {
  let dueAt = performance.now();
  return async (events) => {
    const now = performance.now();
    await sleep(Math.max(0, dueAt - now));
    dueAt = Math.max(dueAt, now) + (events * 1_000) / eventsPerSecond;
  };
}

function* chunks<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
