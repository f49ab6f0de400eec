/** What the rounds of all recovery have in common. */
import { inTime } from '@payflowx/chassis';

/**
 * Waits for an outcome as long as asking and storing may take. The work may be one that a caller began, with a deadline of its own:
 * a round does not wait for that, or one caller could hold up the recovery of everybody else's.
 */
export function untilLate<T>(work: Promise<T>, authorizeDeadlineMs: number): Promise<T> {
  return inTime(work, 2 * authorizeDeadlineMs, () => {
    throw new Error('It is still under way.');
  });
}

/** A retry deadline that has passed: work that a lock holds up is claimed again later, so the rest of the round need not wait for it. */
export const NO_RETRY = new Date(0);

/** Enough to begin a search with. */
const NAMED = 10;

export function toldStuck(ids: readonly string[]) {
  return { stuck: ids.length, ids: ids.slice(0, NAMED) };
}
