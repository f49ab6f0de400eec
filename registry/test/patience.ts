/** How long tests wait for a call or for Consul. It ends what hangs, and judges no speed: a busy machine must not fail a test. */
export const PATIENCE_MS = 60_000;

/** For vi.waitFor. */
export const SOON = { timeout: PATIENCE_MS, interval: 100 };
