/** A source of dead letters is a topic, a queue or a table. DeadLetterService (dead-letter-service.ts) reads all sources of a service. */

import type { DeadLetterSourceName } from '@payflowx/proto/dead-letters';
import { ReasonedError } from '../errors.ts';
import { DEAD_LETTER_HEADERS } from './dead-letters.ts';

/** The reasons. UNKNOWN: the message does not say, because something else put it there. */
export type DeadLetterReasonName = 'UNDECODABLE' | 'REJECTED' | 'DELIVERY_LIMIT' | 'REFUSED' | 'UNKNOWN';

export interface DeadLetter {
  id: string;
  source: DeadLetterSourceName;
  reason: DeadLetterReasonName;
  error: string;
  /** Empty if the message is no event. */
  eventId: string;
  eventType: string;
  key: string;
  failedAt: Date;
  headers: Record<string, string>;
  payload: Buffer;
}

/** The last dead letter of a page. */
export interface DeadLetterPosition {
  failedAt: Date;
  id: string;
}

export interface DeadLetterQuery {
  reason: DeadLetterReasonName | undefined;
  /** Undefined: from the newest on. */
  after: DeadLetterPosition | undefined;
  limit: number;
}

export interface RedriveQuery {
  /** Undefined: all that match. */
  id: string | undefined;
  reason: DeadLetterReasonName | undefined;
}

/** The operations of a source. Each throws DeadLetterError BROKER_UNAVAILABLE if the broker does not answer. */
export interface DeadLetterSource {
  readonly name: DeadLetterSourceName;
  /** Newest first: by time, then by id. */
  list(query: DeadLetterQuery): Promise<DeadLetter[]>;
  find(id: string): Promise<DeadLetter | undefined>;
  /** The number of all of them. Reads none of them. */
  count(): Promise<number>;
  /**
   * Sends dead letters back, oldest first, at most MAX_REDRIVEN. Returns their number. Calls `announce` once before it sends the first,
   * and not at all if it finds none.
   */
  redrive(query: RedriveQuery, announce?: () => Promise<void>): Promise<number>;
}

export const MAX_REDRIVEN = 1_000;

export class DeadLetterError extends ReasonedError<
  'DEAD_LETTER_NOT_FOUND' | 'BROKER_UNAVAILABLE' | 'INVALID_ARGUMENT'
> {}

/** Newest first. */
export function byNewestFailure(a: DeadLetterPosition, b: DeadLetterPosition): number {
  return b.failedAt.getTime() - a.failedAt.getTime() || b.id.localeCompare(a.id, 'en');
}

const REASONS: readonly DeadLetterReasonName[] = ['UNDECODABLE', 'REJECTED', 'DELIVERY_LIMIT', 'REFUSED'];

export function reasonOf(text: string | undefined): DeadLetterReasonName {
  return REASONS.find((reason) => reason === text) ?? 'UNKNOWN';
}

/** Reads the fields of a dead letter that its own headers have. Undefined if they have no time. */
export function failureOf(headers: Record<string, string>) {
  const at = new Date(headers[DEAD_LETTER_HEADERS.time] ?? '');
  return {
    reason: reasonOf(headers[DEAD_LETTER_HEADERS.reason]),
    error: headers[DEAD_LETTER_HEADERS.error] ?? '',
    failedAt: Number.isNaN(at.getTime()) ? undefined : at,
  };
}
