/** Lists events for a reader, and follows the log. */
import { type Caller, cutPage, decodePageToken, pageSizeOf } from '@payflowx/chassis';
import { EVENT_TYPES } from '@payflowx/proto/event-json';
import type { Event } from '@payflowx/proto/notification';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { invalid, NotificationError } from '../domain/errors.ts';
import type { Database } from '../store/database.ts';
import {
  type EventsAfter,
  findEvent,
  newestPosition,
  selectAfter,
  selectEvents,
} from '../store/event-lists.ts';
import { maySeeEvent, type Reader, viewEvent } from './event-view.ts';

const Position = Type.Object({ before: Type.String() });

export function readerOf({ id, roles }: Caller): Reader {
  return { id, seesAll: roles.includes('operator') || roles.includes('auditor') };
}

export interface ListEventsInput {
  caller: Caller;
  pageSize: number;
  pageToken: string;
  types: readonly string[];
  paymentId: string;
  accountId: string;
  createdAfter: Date | undefined;
  createdBefore: Date | undefined;
}

/** Newest first. Throws INVALID_PAGE_TOKEN, INVALID_ARGUMENT. */
export async function listEvents(
  { db }: { db: Kysely<Database> },
  { caller, pageSize, pageToken, types, paymentId, accountId, createdAfter, createdBefore }: ListEventsInput,
): Promise<{ events: Event[]; nextPageToken: string }> {
  requireTypes(types);
  const size = pageSizeOf(pageSize);
  const reader = readerOf(caller);
  const filter = {
    readerId: idOf(reader),
    types,
    paymentId: paymentId || undefined,
    accountId: accountId || undefined,
    createdAfter,
    createdBefore,
    beforeId: decodePageToken(pageToken, Position)?.before,
  };
  const found = await selectEvents(db, filter, size + 1);
  const { rows, nextPageToken } = cutPage(found, size, ({ id }) => ({ before: id }));
  return { events: rows.map((event) => viewEvent(reader, event)), nextPageToken };
}

/** Throws EVENT_NOT_FOUND. */
export async function getEvent({ db }: { db: Kysely<Database> }, caller: Caller, id: string): Promise<Event> {
  const reader = readerOf(caller);
  const event = await findEvent(db, id);
  if (!event || !maySeeEvent(reader, event)) throw notFound();
  return viewEvent(reader, event);
}

export interface FollowEventsInput {
  caller: Caller;
  afterEventId: string;
  position: bigint;
  types: readonly string[];
  waitMs: number;
}

/** A response of 50 events stays far below the largest message. */
const MAX_EVENTS = 50;
/** Events of others are read too. The next call continues after them. */
const MAX_VISITED = 500;
const MAX_WAIT_MS = 20_000;

export interface FollowDeps {
  db: Kysely<Database>;
  /** Resolves when there may be events after the position, or after the time. */
  waitForEvents(position: bigint, ms: number): Promise<void>;
  /** Runs one `read` at a time, of all readers. */
  inTurn<T>(read: () => Promise<T>): Promise<T>;
}

/**
 * Positions are assigned in the order of commits, so nothing is skipped and there are no duplicates. Throws EVENT_NOT_FOUND,
 * INVALID_ARGUMENT.
 */
export async function followEvents(
  deps: FollowDeps,
  { caller, afterEventId, position, types, waitMs }: FollowEventsInput,
): Promise<{ events: Event[]; position: bigint }> {
  requireTypes(types);
  if (waitMs < 0 || waitMs > MAX_WAIT_MS) throw invalid('wait_ms', `must be from 0 to ${MAX_WAIT_MS}`);
  if (position < 0n) throw invalid('position', 'must not be negative');
  const reader = readerOf(caller);
  if (afterEventId === '' && position === 0n) return { events: [], position: await newestPosition(deps.db) };
  const until = Date.now() + waitMs;
  let from = afterEventId === '' ? position : await positionOf(deps, reader, afterEventId);
  for (let isBehind = false; ; ) {
    const which = { position: from, readerId: idOf(reader), types };
    const read = () => selectAfter(deps.db, which, { limit: MAX_EVENTS, visited: MAX_VISITED });
    const found: EventsAfter = await (isBehind ? deps.inTurn(read) : read());
    isBehind = found.isMore;
    const leftMs = until - Date.now();
    if (found.events.length > 0 || leftMs <= 0) {
      return { events: found.events.map((event) => viewEvent(reader, event)), position: found.position };
    }
    if (found.position === from) await deps.waitForEvents(from, leftMs);
    from = found.position;
  }
}

async function positionOf({ db }: FollowDeps, reader: Reader, id: string): Promise<bigint> {
  const event = await findEvent(db, id);
  if (!event || !maySeeEvent(reader, event)) throw notFound();
  return event.position;
}

const idOf = ({ id, seesAll }: Reader): string | undefined => (seesAll ? undefined : id);

function requireTypes(types: readonly string[]): void {
  const known: readonly string[] = EVENT_TYPES;
  if (types.some((type) => !known.includes(type))) throw invalid('types', 'must be types of events');
}

function notFound(): NotificationError {
  return new NotificationError('EVENT_NOT_FOUND', 'There is no such event.');
}
