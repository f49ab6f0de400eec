/** A check that cannot run here prints a line that begins with this word, and ends with 0. It does not count as passed. */
export const SKIPPED = 'skipped:';
