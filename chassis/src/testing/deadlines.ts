/**
 * Deadlines of tests. They end a test that hangs, and do not measure speed. A machine that is busy with ten other things must not
 * fail a test. A test that passes does not wait this long.
 */

/**
 * For one call, or for one state that the system reaches by itself. The timeout of a whole test, in vitest.config.ts, is longer.
 */
export const PATIENCE_MS = 60_000;
