/** Shared parts of payment recovery and operation recovery. */
import { inTime } from '@payflowx/chassis';

/**
 * Waits for an outcome at most as long as one decision and its storage may take. A caller may have started the same work with a
 * longer deadline. Recovery does not wait for that deadline, because one caller could then delay the recovery of all other
 * payments.
 */
export function withRecoveryTimeout<T>(work: Promise<T>, authorizeDeadlineMs: number): Promise<T> {
  return inTime(work, 2 * authorizeDeadlineMs, () => {
    throw new Error('The attempt is still in progress.');
  });
}

/**
 * A retry deadline in the past. Work that is delayed by a lock is claimed again later, so that the rest of the batch does not
 * wait for it.
 */
export const NO_RETRY = new Date(0);

/** Number of ids in the log line, as a start for a search. */
const NAMED = 10;

export function stuckFields(ids: readonly string[]) {
  return { stuck: ids.length, ids: ids.slice(0, NAMED) };
}
