/**
 * How long tests wait. A limit ends a test that hangs; it is no judgement of speed. A machine that is busy with ten other
 * things must not fail a test, and a test that passes does not wait this long.
 */

/** For one call, or for one state that the system reaches by itself. The timeout of a whole test, in vitest.config.ts, is longer. */
export const PATIENCE_MS = 60_000;
