/**
 * Returns the result of `work`. If it takes longer than `ms`, returns or throws the result of `late`. The work continues, and its
 * result is ignored.
 */
export function inTime<T>(work: Promise<T>, ms: number, late: () => T): Promise<T> {
  return inTimeUnlessGivenUp(() => work, ms, late);
}

/** Like inTime, but the work itself can report earlier that it is late. */
export async function inTimeUnlessGivenUp<T>(
  work: (giveUp: () => void) => Promise<T>,
  ms: number,
  late: () => T,
): Promise<T> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.max(0, ms));
  try {
    return await Promise.race([work(resolve), over.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}
