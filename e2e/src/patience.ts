/** How long to wait for one answer, or for a state that the platform reaches by itself. It ends what hangs; it judges no speed. */
export const PATIENCE_MS = 60_000;
